import { idea } from '../state/ideas'
import * as studio from './studio'

const { session } = studio

/** Keys of the whole page; while something is typed they are left alone. */
export function listenToKeys(): void {
  window.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || busy(event.target)) return
    const act = ACTIONS[event.key.toLowerCase()]
    if (!act) return
    event.preventDefault()
    act()
  })
}

const ACTIONS: Record<string, () => void> = {
  ' ': () => void session.toggle(),
  enter: () => studio.promptField.current?.focus(),
  arrowleft: () => session.nudge(-0.05),
  arrowright: () => session.nudge(0.05),
  '?': () => (studio.help.value = true),
  d() {
    studio.draft.value = idea()
    studio.promptField.current?.focus()
  },
  r: () => session.started.value && session.record(!session.recording.value),
  p: () => session.started.value && (studio.painting.value = !studio.painting.value),
  m: () => (studio.view.value = studio.view.value === 'make' ? 'play' : 'make'),
  g: () => (studio.gallery.value = true),
  c: studio.nextColours,
  '3': () => (studio.relief.value = !studio.relief.value),
}

/** Whether what has the focus wants keys for itself. */
function busy(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  // One that has been closed keeps the focus until it is taken off the page.
  const dialog = target.closest('dialog')
  if (dialog) return dialog.open
  return target.matches('input, select, textarea, button, a, summary, audio')
}
