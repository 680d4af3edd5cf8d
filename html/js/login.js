import { call } from './api.js';
import { element, replace } from './dom.js';

// A log-in form; `done(session)` is called when it went well. `intro` stands above it. It takes the focus, unless somebody
// is typing elsewhere.
export function loginForm(intro, done, takesFocus = true) {
  const said = element('p', { class: 'said error', role: 'alert', id: 'login-said' });
  const name = element('input', { type: 'text', id: 'username', name: 'username', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true });
  const password = element('input', { type: 'password', id: 'password', name: 'password', autocomplete: 'current-password', required: true, 'aria-describedby': 'login-said' });
  const button = element('button', { class: 'button main wide', type: 'submit' }, 'Log in');
  const form = element('form', { class: 'login', novalidate: true, onsubmit: submit },
    intro,
    element('div', { class: 'field' }, element('label', { for: 'username' }, 'User name'), name),
    element('div', { class: 'field' }, element('label', { for: 'password' }, 'Password'), password, said),
    button);

  async function submit(event) {
    event.preventDefault();
    if (button.disabled) return;
    replace(said);
    if (!name.value.trim()) { replace(said, 'Type your user name.'); name.focus(); return; }
    if (!password.value) { replace(said, 'Type your password.'); password.focus(); return; }
    button.disabled = true;
    button.textContent = 'Logging in…';
    try {
      done(await call('POST', '/api/session', { username: name.value.trim(), password: password.value }));
    } catch (problem) {
      replace(said, problem.message);
      password.select();
    } finally {
      button.disabled = false;
      button.textContent = 'Log in';
    }
  }
  if (takesFocus) queueMicrotask(() => (name.value ? password : name).focus());
  return form;
}
