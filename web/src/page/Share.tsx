import { useState } from 'preact/hooks'
import { linkFromScene } from '../state/link'
import { Icon } from './icons'
import { said, session } from './studio'

/** Copies a link that plays the moment that is heard. */
export function Share() {
  const [copied, setCopied] = useState(false)
  const share = async () => {
    const link = new URL(linkFromScene(session.moment()), location.href).href
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
      <button class="round" aria-label="Copy a link to this moment" onClick={() => void share()}>
        <Icon name="link" />
      </button>
      {copied && <span class="tip">Link copied</span>}
    </span>
  )
}
