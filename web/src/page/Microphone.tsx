import { useEffect, useState } from 'preact/hooks'
import { recordMicrophone, type Take } from '../audio/microphone'
import { timeText } from '../sonogram/format'
import { dropped, session } from './studio'

/** A sound from the microphone, to be played another way. */
export function Microphone() {
  const [take, setTake] = useState<Take | null>(null)
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    if (!take) return
    const begun = performance.now()
    const timer = setInterval(() => setSeconds((performance.now() - begun) / 1000), 200)
    return () => clearInterval(timer)
  }, [take])
  const begin = async () => {
    // It is not to hear itself.
    session.player.pause()
    setSeconds(0)
    session.notice.value = ''
    try {
      const begun = await recordMicrophone()
      setTake(begun)
      dropped.value = await begun.file
    } catch (error) {
      session.notice.value = (error as Error).message
    }
    setTake(null)
  }
  return (
    <button
      type="button"
      class="small"
      aria-pressed={take !== null}
      title="Sing, hum or tap, and say what it is to become"
      onClick={() => (take ? take.stop() : void begin())}
    >
      {take ? `Stop ${timeText(seconds)}` : 'Record a sound'}
    </button>
  )
}
