import { Blend } from './Blend'
import { Controllers } from './Controllers'
import { Drop } from './Drop'
import { Gallery } from './Gallery'
import { Help } from './Help'
import { Icon } from './icons'
import { Jobs } from './Jobs'
import { Line } from './Line'
import { Make } from './Make'
import { Now } from './Now'
import { Past } from './Past'
import { Prompt } from './Prompt'
import { Recorded } from './Recorded'
import { Share } from './Share'
import { SongView } from './Song'
import { openSongs } from '../songs/workshop'
import { Stage } from './Stage'
import { api, gallery, help, said, view } from './studio'
import { Transport } from './Transport'
import { Tuning } from './Tuning'
import { Upcoming } from './Upcoming'

export function App() {
  return (
    <div class="app">
      <a class="skip" href="#prompt">
        To the prompt
      </a>
      <main class="stage" aria-label="Sonogram">
        <Stage />
        <Transport />
      </main>
      <aside class="panel" aria-label="Prompts and settings">
        <header class="head">
          <h1 class="wordmark">Sonoriff</h1>
          <Line />
          <nav class="tools" aria-label="Tools">
            {api.songs && (
              <button
                class="round"
                aria-label="Songs"
                title="Songs"
                onClick={() => void openSongs()}
              >
                <Icon name="song" />
              </button>
            )}
            <button
              class="round"
              aria-label="Gallery"
              title="Gallery"
              onClick={() => (gallery.value = true)}
            >
              <Icon name="gallery" />
            </button>
            <Share />
            <button
              class="round"
              aria-label="Help"
              title="Help"
              onClick={() => (help.value = true)}
            >
              <Icon name="help" />
            </button>
          </nav>
        </header>
        <Views />
        <Jobs />
        <Now />
        {view.value === 'make' ? (
          <Make />
        ) : (
          <>
            <Prompt />
            <Blend />
            <Upcoming />
            <Past />
            <Tuning />
            <Controllers />
          </>
        )}
      </aside>
      <Gallery />
      <SongView />
      <Help />
      <Recorded />
      <Drop />
      <p class="hidden" role="status" aria-live="polite">
        {said.value}
      </p>
    </div>
  )
}

/** Whether music is to flow, or a finished piece is wanted. */
function Views() {
  const names = { play: 'Play', make: 'Make' } as const
  const about = { play: 'Endless, changes as you type', make: 'A piece or a loop, to take away' }
  return (
    <div class="views" role="radiogroup" aria-label="What to do">
      {(['play', 'make'] as const).map((id) => (
        <label key={id} title={about[id]}>
          <input
            type="radio"
            name="view"
            checked={view.value === id}
            onChange={() => (view.value = id)}
          />
          {names[id]}
        </label>
      ))}
    </div>
  )
}
