//! Policies and procedures that lead nowhere: nobody fills a role, no alert reaches a level, nothing uses the whole.

use super::finding::Findings;
use crate::context::Kind;
use crate::diagnostics::quote;
use crate::{Code, Contacts, EscalationPolicy, Plan, Severity};

pub(super) fn check(findings: &mut Findings<'_, '_>, plan: &Plan, contacts: Option<&Contacts>) {
    for policy in &plan.escalation_policies {
        used(findings, plan, policy);
        if let Some(contacts) = contacts {
            filled(findings, policy, contacts);
        }
    }
    for procedure in &plan.procedures {
        let used = plan
            .rules()
            .any(|(_, rule)| rule.procedure.as_deref() == Some(procedure.id.as_str()));
        if used {
            continue;
        }
        let message = format!("no alert leads to the procedure {}", quote(&procedure.id));
        let help = "name it in a rule, or take it away";
        let about = (Kind::Procedure, procedure.id.as_str());
        findings.about(Code::ProcedureUnused, about, message, help);
    }
}

/// Who uses a policy, and how far up it goes. A warning tells the first level and stops there.
fn used(findings: &mut Findings<'_, '_>, plan: &Plan, policy: &EscalationPolicy) {
    let of_rules = plan
        .rules()
        .filter(|(_, rule)| rule.escalation.as_deref() == Some(policy.name.as_str()))
        .map(|(_, rule)| rule.severity);
    // Alerts of other programs may say `critical` themselves.
    let of_others = plan
        .incoming_alerts
        .iter()
        .filter(|incoming| incoming.escalation == policy.name)
        .map(|_| Severity::Critical);
    let about = (Kind::EscalationPolicy, policy.name.as_str());
    match of_rules.chain(of_others).max() {
        None => {
            let message = format!("nothing uses the escalation policy {}", quote(&policy.name));
            let help = "name it in a rule, or take it away";
            findings.about(Code::PolicyUnused, about, message, help);
        }
        Some(Severity::Warning) if policy.levels.len() > 1 => {
            let message = format!(
                "only warnings use the policy {}, and they tell its first level alone: {} more {} never reached",
                quote(&policy.name),
                policy.levels.len() - 1,
                if policy.levels.len() == 2 {
                    "is"
                } else {
                    "are"
                }
            );
            let help = "take these levels away, or make an alert critical";
            findings.about(Code::LevelNeverReached, about, message, help);
        }
        Some(Severity::Warning | Severity::Critical) => {}
    }
}

/// Whether somebody fills the roles of a policy.
fn filled(findings: &mut Findings<'_, '_>, policy: &EscalationPolicy, contacts: &Contacts) {
    let roles = policy.levels.iter().flat_map(|level| &level.roles);
    for role in roles.filter(|role| !contacts.can_fill(role)) {
        let message = format!(
            "nobody in the contacts fills the role {} of the policy {}",
            quote(role),
            quote(&policy.name)
        );
        let help = "give it to a person (`roles`) or a rota";
        let within = (Kind::EscalationPolicy, policy.name.as_str());
        findings.about_within(Code::RoleUnfilled, (role, within), message, help);
    }
}
