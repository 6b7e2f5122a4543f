//! A corpus of expressions: which can be made to fire and to end, by what, and which cannot.

use super::*;

const HEAD: &str = "
format: 1
service: shop
targets: [{job: shop, url: 'http://shop.test:80/metrics'}]
metrics:
  - {name: orders_total, type: counter, meaning: Orders., group: business, labels: [kind]}
  - {name: failures_total, type: counter, meaning: Failures., group: application, labels: [status]}
  - {name: stock, type: gauge, meaning: Boxes., group: application}
  - {name: room, type: gauge, meaning: Places., group: application}
  - {name: free_bytes, type: gauge, meaning: Room on the disk., group: infrastructure}
  - {name: last_run_seconds, type: gauge, meaning: When the job ran., group: application}
  - {name: wait_seconds, type: histogram, meaning: Waiting., group: application, labels: [door]}
probes: [{name: door, kind: readiness, url: 'http://shop.test:80/ready'}]
rule_groups:
  - name: shop
    rules:
";

/// Tries each line: the expression, and what is said of it.
fn check(corpus: &str) {
    let mut wrong = Vec::new();
    for line in corpus.lines().filter(|line| !line.trim().is_empty()) {
        let (expr, expect) = line.split_once("=>").unwrap();
        let found = found(expr.trim());
        if found != expect.trim() {
            wrong.push(format!("{} => {found}", expr.trim()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn found(expr: &str) -> String {
    let (expr, hold) = expr.split_once(" for ").unwrap_or((expr, "2m"));
    let rule = format!("      - {{alert: A, expr: '{expr}', for: {hold}, severity: warning}}\n");
    let (plan, diagnostics) = plan::parse("plan.yaml", &format!("{HEAD}{rule}"));
    let plan = plan.unwrap_or_else(|| panic!("{expr}: {diagnostics:?}"));
    let rule = &plan.rule_groups[0].rules[0];
    let at = Timestamp::from_millis(1_795_424_400_000);
    match witness(&plan, rule, at, Duration::from_secs(1_800)) {
        Ok(witness) => witness.in_words(),
        Err(NoWitness::TooWide(_)) => "too wide".to_owned(),
        Err(NoWitness::NeverHolds(_)) => "never holds".to_owned(),
        Err(NoWitness::NeverCalm(_)) => "never calm".to_owned(),
        Err(NoWitness::NoChange) => "no change".to_owned(),
    }
}

#[test]
fn what_fires_and_ends() {
    check(include_str!("corpus.txt"));
}

#[test]
fn combinations_come_in_order() {
    let list = |count: usize| (0..count).map(|own| Shape::Constant(own as f64)).collect();
    let mut seen = Vec::new();
    let _ = by_likelihood(&[list(2), list(3)], &mut |shapes| {
        let place = |shape: &Shape| match shape {
            Shape::Constant(value) => *value as usize,
            _ => unreachable!("only constants are in the lists"),
        };
        seen.push((place(&shapes[0]), place(&shapes[1])));
        ControlFlow::Continue(())
    });
    assert_eq!(seen, [(0, 0), (0, 1), (1, 0), (0, 2), (1, 1), (1, 2)]);
}
