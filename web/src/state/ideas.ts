/** Words for the dice; any of one list goes with any of the others. */
const MOODS = ['dreamy', 'warm', 'bright', 'dusty', 'tender', 'restless', 'golden', 'nocturnal']
const STYLES = [
  'bossa nova',
  'deep house',
  'dub reggae',
  'swing jazz',
  'techno',
  'slow blues',
  'disco funk',
  'chamber waltz',
  'lo-fi hip hop',
  'ambient drone',
  'country folk',
  'synthwave',
]
const SOUNDS = [
  'with nylon guitar',
  'with church organ',
  'with vibraphone',
  'with walking bass',
  'with strings',
  'with muted trumpet',
  'with marimba',
  'with electric piano',
  'with brushed drums',
  'with flute',
]
const KEYS = ['A minor', 'C major', 'D minor', 'E minor', 'F major', 'G major']

/** A prompt that nobody asked for. @param random gives numbers in [0, 1) */
export function idea(random: () => number = Math.random): string {
  const pick = (list: string[]): string => list[Math.floor(random() * list.length)]!
  const words = [pick(MOODS), pick(STYLES), pick(SOUNDS)].join(' ')
  return random() < 0.35 ? `${words}, ${pick(KEYS)}` : words
}
