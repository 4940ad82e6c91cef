import { parseProgression } from '@sonoriff/engine/chords'

/** What is wrong with chords as they were typed; nothing where they can be read or are none. */
export function mistakeInChords(text: string): string {
  try {
    if (text.trim()) parseProgression(text)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}
