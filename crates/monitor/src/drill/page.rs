//! The page of a virtual drill that is really sent, where somebody asked for one: to each person whom the drill told, by their first
//! channel, marked as a drill.

use alerting::{IncidentId, PageReason};
use plan::Channel;

use super::runner::DrillRunner;
use crate::incident::{DrillOutcome, DrillStep, IncidentDetail, Page, PageId};
use crate::notify::{PageContext, send};
use crate::setup::Setup;

/// Sends the pages, and says for each whether it was accepted.
pub(super) async fn page_people(
    runner: &DrillRunner,
    setup: &Setup,
    detail: &IncidentDetail,
) -> Vec<DrillStep> {
    let mut steps = Vec::new();
    for person in detail.incident.told.keys() {
        let first = |reason: PageReason| {
            let mut own = detail.pages.iter().filter(|page| page.person == *person);
            own.find(|page| page.reason == reason)
        };
        let Some(page) = first(PageReason::Escalation) else {
            continue;
        };
        steps.push(send_one(runner, setup, detail, page).await);
        // A program that keeps incidents open is told of the end too.
        let channel = setup.contacts.person(person);
        let channel = channel.and_then(|own| own.channel(&page.channel));
        let keeps = matches!(
            channel,
            Some(Channel::PagerDuty { .. } | Channel::Alertmanager { .. })
        );
        if let Some(page) = first(PageReason::Resolved).filter(|_| keeps) {
            steps.push(send_one(runner, setup, detail, page).await);
        }
    }
    steps
}

async fn send_one(
    runner: &DrillRunner,
    setup: &Setup,
    detail: &IncidentDetail,
    page: &Page,
) -> DrillStep {
    // Numbers of a stage are those of real incidents and pages: receivers tell repetitions by them, so that others are used here.
    let number = runner.now().as_millis();
    let mut detail = detail.clone();
    detail.incident.head.id = IncidentId(0);
    let page = Page {
        id: PageId(number),
        root: PageId(number),
        incident: IncidentId(0),
        ..page.clone()
    };
    let channel = setup.contacts.person(&page.person);
    let channel = channel.and_then(|own| own.channel(&page.channel));
    let context = PageContext {
        setup,
        detail: &detail,
        page: &page,
        external_url: &runner.external_url,
        summary_of: &[],
    };
    let sent = match channel {
        Some(channel) => send(&runner.world, &runner.environment, channel, &context).await,
        None => Err("there is no such person among the contacts".to_owned()),
    };
    let whom = format!("{} by {}", page.person, page.channel);
    let (outcome, said) = match sent {
        Ok(receipt) => (DrillOutcome::Passed, receipt),
        Err(why) => (DrillOutcome::Failed, why),
    };
    DrillStep {
        what: format!("page ({})", page.kind().as_str()),
        promised_ms: None,
        observed_ms: None,
        outcome,
        text: format!("{whom}: {said}"),
    }
}
