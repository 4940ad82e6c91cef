/** What the device does beside the page: keys of headphones, a screen that stays on, the shell. */

import { effect } from '@preact/signals'
import { promptText } from '../state/scene'
import { player, session, titleOf } from './studio'

/** Show what is heard where the system shows it, and obey its keys. */
export function joinDevice(): void {
  joinMediaKeys()
  keepAwake()
  keepShell()
}

function joinMediaKeys(): void {
  const media = navigator.mediaSession as MediaSession | undefined
  if (!media) return
  media.setActionHandler('play', () => void (player.wanted.value || session.toggle()))
  media.setActionHandler('pause', () => player.pause())
  media.setActionHandler('stop', () => player.pause())
  effect(() => {
    media.playbackState = player.wanted.value ? 'playing' : 'paused'
  })
  effect(() => {
    const clip = session.clip.value
    const title = clip ? titleOf(clip) : promptText(session.now.value)
    media.metadata = new MediaMetadata({ title: title || 'Music', artist: 'Sonoriff' })
  })
}

/** The screen stays on while music is heard on a page that is seen. */
function keepAwake(): void {
  const locks = navigator.wakeLock as WakeLock | undefined
  if (!locks) return
  let lock: Promise<WakeLockSentinel | null> | null = null
  const settle = () => {
    const wanted = player.wanted.value && document.visibilityState === 'visible'
    if (wanted) lock ??= locks.request('screen').catch(() => null)
    else {
      void lock?.then((held) => held?.release())
      lock = null
    }
  }
  effect(settle)
  document.addEventListener('visibilitychange', settle)
}

/** The page opens without its server, once it was there; not while it is developed. */
function keepShell(): void {
  if (import.meta.env.PROD && 'serviceWorker' in navigator) {
    navigator.serviceWorker.register('./sw.js').catch(() => {
      // Behind a certificate that nobody trusts there is none; the page works all the same.
    })
  }
}
