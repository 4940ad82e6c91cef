import { useEffect, useState } from 'preact/hooks'
import { promptText } from '../state/scene'
import { Dialog } from './Dialog'
import { api, dropped, session } from './studio'
import { workOn } from './jobs'

/** A file dropped anywhere on the page is remixed. */
export function Drop() {
  const [over, setOver] = useState(false)
  useEffect(() => {
    const hold = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setOver(event.type === 'dragover')
      const file = event.type === 'drop' ? event.dataTransfer.files[0] : undefined
      if (file) dropped.value = file
    }
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false)
    window.addEventListener('dragover', hold)
    window.addEventListener('drop', hold)
    window.addEventListener('dragleave', leave)
    return () => {
      window.removeEventListener('dragover', hold)
      window.removeEventListener('drop', hold)
      window.removeEventListener('dragleave', leave)
    }
  }, [])
  if (dropped.value) return <Remix file={dropped.value} />
  return over ? (
    <div class="over" aria-hidden="true">
      <p>Drop it to remix it</p>
    </div>
  ) : null
}

function Remix({ file }: { file: File }) {
  const [prompt, setPrompt] = useState(promptText(session.now.value))
  const [strength, setStrength] = useState(0.6)
  const remix = (event: Event) => {
    event.preventDefault()
    dropped.value = null
    const seed = session.scene.value.seed
    void workOn('Remixing', () => api.remix(file, { prompt, strength, seed }))
  }
  return (
    <Dialog title="Remix" onClose={() => (dropped.value = null)}>
      <form class="form" onSubmit={remix}>
        <p class="facts">{file.name}</p>
        <label>
          What it is to become
          <input
            class="wide"
            autofocus
            maxLength={500}
            value={prompt}
            onInput={(event) => setPrompt(event.currentTarget.value)}
          />
        </label>
        <label>
          How far: {Math.round(100 * strength)} %
          <input
            type="range"
            min="0.05"
            max="1"
            step="0.05"
            value={strength}
            style={{ '--at': `${(100 * (strength - 0.05)) / 0.95}%` }}
            onInput={(event) => setStrength(Number(event.currentTarget.value))}
          />
        </label>
        <button class="primary">Remix</button>
      </form>
    </Dialog>
  )
}
