//! Several services in one plan: each file belongs to one, and with it everything that the file declares.

use std::ops::Range;

/// The services of a plan's files. The first is that of the main file, whatever it is called.
#[derive(Default)]
pub(crate) struct Services {
    /// Those that included files name beside the plan's own.
    pub(crate) others: Vec<OtherService>,
    /// For each file the index among the others; `None`: the plan's own.
    of_files: Vec<Option<usize>>,
    /// The name of the plan's own, as far as it could be read.
    own: String,
}

/// A service beside the plan's own.
pub(crate) struct OtherService {
    pub(crate) name: String,
    /// What people call it, and the key that says so.
    pub(crate) title: Option<(String, Range<usize>)>,
    /// Where it is named first.
    pub(crate) span: Range<usize>,
}

impl Services {
    /// Names the plan's own service, that of its main file.
    pub(crate) fn begin(&mut self, own: &str) {
        self.own = own.to_owned();
        self.of_files = vec![None];
    }

    /// Says that the next file belongs to the same service as the one that includes it.
    pub(crate) fn inherit(&mut self, includer: usize) {
        let service = self.of_files.get(includer).copied().flatten();
        self.of_files.push(service);
    }

    /// Says that a file belongs to the service of this name.
    pub(crate) fn name(&mut self, file: usize, name: &str, span: &Range<usize>) {
        let known = self.others.iter().position(|own| own.name == name);
        let index = if name == self.own {
            None
        } else {
            Some(known.unwrap_or_else(|| {
                self.others.push(OtherService {
                    name: name.to_owned(),
                    title: None,
                    span: span.clone(),
                });
                self.others.len() - 1
            }))
        };
        if let Some(of_file) = self.of_files.get_mut(file) {
            *of_file = index;
        }
    }

    /// The service of a file, where it is another than the plan's own.
    pub(crate) fn other_of(&mut self, file: usize) -> Option<&mut OtherService> {
        let index = self.of_files.get(file).copied().flatten()?;
        self.others.get_mut(index)
    }

    /// The name of a file's service, where it is another than the plan's own.
    pub(crate) fn of_file(&self, file: usize) -> Option<String> {
        let index = self.of_files.get(file).copied().flatten()?;
        self.others.get(index).map(|other| other.name.clone())
    }
}
