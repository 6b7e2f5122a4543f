// Why a page is sent, in words.
import type { Page } from './contract.ts';

const REASONS: Record<string, string> = {
  joined: 'alerts joined', acknowledgement_expired: 'acknowledgement expired', hold_ended: 'no longer held back', resolved: 'resolved', summary: 'summary',
};

export function pageReason(page: Page): string {
  if (page.reason === 'escalation') return `level ${page.level}`;
  return REASONS[page.reason] ?? page.reason.replaceAll('_', ' ');
}
