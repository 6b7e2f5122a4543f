//! Tells cargo that the web app is part of this crate: a binary built before the app was there is built again after.

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
}
