import { Dialog } from './Dialog'
import { help } from './studio'

const KEYS: [string, string][] = [
  ['Space', 'play, pause'],
  ['Enter', 'to the prompt; there: play it'],
  ['↑ ↓', 'in the prompt: what was played before'],
  ['← →', 'move the blend'],
  ['D', 'an idea'],
  ['R', 'record'],
  ['P', 'paint on the sonogram'],
  ['G', 'gallery'],
  ['M', 'make a riff; back to the stream'],
  ['C', 'another colour'],
  ['3', 'relief'],
  ['?', 'this'],
]

export function Help() {
  if (!help.value) return null
  return (
    <Dialog title="How it works" onClose={() => (help.value = false)}>
      <p>
        The picture is the sound: time from left to right, low notes below, high ones above,
        brightness is loudness. A model paints it a few seconds ahead of the line; type other words
        and they melt into it.
      </p>
      <p>Drop a sound or a sonogram on the page to remix it.</p>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
