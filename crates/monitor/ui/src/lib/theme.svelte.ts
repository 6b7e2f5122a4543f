// Dark, light or as the system says; remembered in this browser. The resolved theme stands on <html data-theme>, so the
// palette is written down once per theme and charts, which draw on canvas, can read it.

export type ThemeChoice = 'system' | 'light' | 'dark';

const KEY = 'belfry.theme';
const CHOICES: ThemeChoice[] = ['system', 'light', 'dark'];
const systemDark = window.matchMedia('(prefers-color-scheme: dark)');

let choice = $state<ThemeChoice>(readChoice());
let dark = $state(systemDark.matches);

export const theme = {
  get choice(): ThemeChoice {
    return choice;
  },
  get resolved(): 'light' | 'dark' {
    if (choice !== 'system') return choice;
    return dark ? 'dark' : 'light';
  },
};

export function applyTheme(): void {
  document.documentElement.dataset['theme'] = theme.resolved;
}

export function chooseNextTheme(): void {
  choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length] ?? 'system';
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // A browser that stores nothing still gets the theme for this visit.
  }
  applyTheme();
}

systemDark.addEventListener('change', (event) => {
  dark = event.matches;
  applyTheme();
});

function readChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY) as ThemeChoice | null;
    return stored && CHOICES.includes(stored) ? stored : 'system';
  } catch {
    return 'system';
  }
}
