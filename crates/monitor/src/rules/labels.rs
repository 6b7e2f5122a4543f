//! What a rule adds to the labels of its series. In one place, so that an alert and its series `ALERTS` are named alike.

use model::{Labels, LabelsBuilder};
use plan::AlertRule;

/// The labels of a series with those of its rule, and with the rule's service where that is not the plan's own and the series
/// names none: what other programs name, such as the service of log lines, tells more.
pub(crate) fn with_labels_of(rule: &AlertRule, series: &Labels) -> LabelsBuilder {
    let mut builder = LabelsBuilder::from(series);
    if let (Some(service), None) = (&rule.service, series.get("service")) {
        builder.set("service", service);
    }
    for (name, value) in &rule.labels {
        builder.set(name, value);
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_added_where_nothing_names_one() {
        let text = "format: 1\nservice: shop\nrule_groups: [{name: g, rules: [\
                    {alert: A, expr: up == 0, severity: warning},\
                    {alert: B, expr: up == 0, severity: warning, labels: {service: till}}]}]";
        let (plan, _) = plan::parse("plan.yaml", text);
        let mut plan = plan.unwrap();
        let rules = &mut plan.rule_groups[0].rules;
        let check = |rule: &AlertRule, series: &[(&str, &str)], expect: Option<&str>| {
            let labels = with_labels_of(rule, &Labels::from_pairs(series.iter().copied())).build();
            assert_eq!(labels.get("service"), expect);
        };
        check(&rules[0], &[], None);
        for rule in rules.iter_mut() {
            rule.service = Some("stock".to_owned());
        }
        check(&rules[0], &[("job", "a")], Some("stock"));
        check(&rules[0], &[("service", "lines")], Some("lines"));
        check(&rules[1], &[("service", "lines")], Some("till"));
    }
}
