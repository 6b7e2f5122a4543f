// Starts the app. The theme is set before anything is drawn, so that no page flashes in the wrong one.
import { mount } from 'svelte';
import './styles/tokens.css';
import './styles/base.css';
import { applyTheme } from './lib/theme.svelte.ts';
import App from './App.svelte';

applyTheme();

const root = document.getElementById('app');
if (root) mount(App, { target: root });
