import { api, loading, player, session } from './studio'

/** One line on how things are; a field for the key where the server wants one. */
export function Line() {
  const { text, tone } = line()
  if (session.notice.value.includes('API key')) return <KeyField />
  return (
    <p class="line" data-tone={tone} role="status">
      <span class="dot" aria-hidden="true" />
      {text}
    </p>
  )
}

function line(): { text: string; tone: 'calm' | 'live' | 'busy' | 'bad' } {
  if (loading.value !== null) {
    return { text: `Loading the model, ${Math.round(100 * loading.value)} %`, tone: 'busy' }
  }
  if (session.notice.value) return { text: session.notice.value, tone: 'bad' }
  const state = player.outlet.value
  if (session.clip.value) return { text: 'A riff', tone: 'calm' }
  if (!player.wanted.value)
    return { text: session.started.value ? 'Paused' : 'Ready', tone: 'calm' }
  const slow = session.status.value?.state === 'behind'
  // Before the output is open, it is paused.
  if (state !== 'playing') {
    const behind = player.underruns.value > 0
    return {
      text: behind ? `${api.maker} is behind: waiting` : 'Making the first sound',
      tone: 'busy',
    }
  }
  return slow
    ? { text: `${api.maker} is falling behind`, tone: 'busy' }
    : { text: 'Live', tone: 'live' }
}

function KeyField() {
  const enter = (event: SubmitEvent) => {
    event.preventDefault()
    const field = (event.target as HTMLFormElement).elements.namedItem('key')
    api.key = (field as HTMLInputElement).value
    sessionStorage.setItem('sonoriff.key', api.key)
    session.notice.value = ''
    void session.start()
  }
  return (
    <form class="key" onSubmit={enter}>
      <input name="key" type="password" aria-label="API key" placeholder="API key" required />
      <button class="small">Enter</button>
    </form>
  )
}
