import { Drop } from './Drop'
import { Gallery } from './Gallery'
import { Help } from './Help'
import { Icon } from './icons'
import { Line } from './Line'
import { Now } from './Now'
import { Past } from './Past'
import { Prompt } from './Prompt'
import { Recorded } from './Recorded'
import { Share } from './Share'
import { SongView } from './Song'
import { openSongs } from '../songs/workshop'
import { Stage } from './Stage'
import { gallery, help, said } from './studio'
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
            <button class="round" aria-label="Songs" onClick={() => void openSongs()}>
              <Icon name="song" />
            </button>
            <button class="round" aria-label="Gallery" onClick={() => (gallery.value = true)}>
              <Icon name="gallery" />
            </button>
            <Share />
            <button class="round" aria-label="Help" onClick={() => (help.value = true)}>
              <Icon name="help" />
            </button>
          </nav>
        </header>
        <Now />
        <Prompt />
        <Upcoming />
        <Past />
        <Tuning />
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
