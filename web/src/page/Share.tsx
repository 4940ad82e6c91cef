import { useState } from 'preact/hooks'
import { linkFromRiff, linkFromScene } from '../state/link'
import { Icon } from './icons'
import { said, session } from './studio'

/** Copies a link that plays what is heard: the riff, or the moment of the stream. */
export function Share() {
  const [copied, setCopied] = useState(false)
  const share = async () => {
    const riff = session.clip.value
    const query = riff ? linkFromRiff(riff.id) : linkFromScene(session.moment())
    const link = new URL(query, location.href).href
    history.replaceState(null, '', link)
    try {
      await navigator.clipboard.writeText(link)
      setCopied(true)
      said.value = 'The link is copied.'
      setTimeout(() => setCopied(false), 1800)
    } catch {
      said.value = 'The link is in the address bar.'
    }
  }
  return (
    <span class="share">
      <button
        class="round"
        aria-label={session.clip.value ? 'Copy a link to this riff' : 'Copy a link to this moment'}
        onClick={() => void share()}
      >
        <Icon name="link" />
      </button>
      {copied && <span class="tip">Link copied</span>}
    </span>
  )
}
