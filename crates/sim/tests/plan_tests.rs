//! The plan's own tests hold, and they leave no rule out: for each a test that sees it fire and one that sees it does not.

use std::collections::BTreeSet;

use monitor::plan_test;
use plan::{Origin, Rules, TestFile};

const PLAN: &str = include_str!("../../../plans/qr-service.yaml");
const TESTS: &str = include_str!("../../../plans/qr-service.test.yaml");

fn files() -> (Rules, TestFile) {
    let (plan, found) = plan::parse_rules("plans/qr-service.yaml", PLAN);
    let plan = plan.unwrap_or_else(|| panic!("{found:?}"));
    let (tests, found) = plan::parse_tests("plans/qr-service.test.yaml", TESTS);
    (plan, tests.unwrap_or_else(|| panic!("{found:?}")))
}

#[tokio::test]
async fn the_plans_tests_pass() {
    let (plan, tests) = files();
    let rules = [plan];
    for case in &tests.tests {
        assert!(case.contacts.is_none(), "this test reads no contacts");
        let outcome = plan_test::run(&tests, case, &rules, None).await;
        let name = &outcome.name;
        assert!(
            outcome.failures.is_empty(),
            "{name}: {:#?}",
            outcome.failures
        );
    }
}

#[test]
fn every_rule_is_seen_firing_and_not_firing() {
    let (rules, tests) = files();
    let Rules::Plan(plan) = rules else {
        panic!("the plan is a plan");
    };
    let (mut fires, mut does_not) = (BTreeSet::new(), BTreeSet::new());
    for case in &tests.tests {
        let names: BTreeSet<&str> = case.alerts.iter().map(|own| &*own.alert).collect();
        for name in names {
            let of_name = || case.alerts.iter().filter(|own| own.alert == name);
            if of_name().any(|own| !own.expected.is_empty()) {
                fires.insert(name.to_owned());
            } else {
                does_not.insert(name.to_owned());
            }
        }
    }
    // Those that objectives became are tested where they are made.
    let written = plan
        .rules()
        .filter(|(_, rule)| rule.origin != Origin::Lowered);
    let all: BTreeSet<String> = written.map(|(_, rule)| rule.name.clone()).collect();
    assert_eq!(fires, all, "a test sees each rule fire");
    assert_eq!(does_not, all, "a test sees each rule not fire");
}

/// The tests would notice: each of these changes of the plan breaks one of them.
#[tokio::test]
async fn a_plan_that_is_changed_fails_its_tests() {
    let (_, tests) = files();
    for (from, to) in [
        ("for: 2m", "for: 4m"),
        ("cache_hit_rate < 0.7", "cache_hit_rate <= 0.7"),
        ("after: 15m", "after: 16m"),
        ("acknowledgement_expires: 1h", "acknowledgement_expires: 2h"),
        (
            "hold_back: [NotReady, RequiredMetricMissing, DatabaseDown]",
            "hold_back: [DatabaseDown]",
        ),
        (
            "Past the limit the process is killed.",
            "Past the limit all is well.",
        ),
    ] {
        assert!(PLAN.contains(from), "{from}");
        let (changed, found) = plan::parse_rules("changed.yaml", &PLAN.replacen(from, to, 1));
        let rules = [changed.unwrap_or_else(|| panic!("{from}: {found:?}"))];
        let mut failing = 0;
        for case in &tests.tests {
            let outcome = plan_test::run(&tests, case, &rules, None).await;
            failing += usize::from(!outcome.failures.is_empty());
        }
        assert!(failing > 0, "no test notices {from} -> {to}");
    }
}
