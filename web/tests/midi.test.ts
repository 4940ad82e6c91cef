import { expect, test } from 'vitest'
import {
  clockTicks,
  ClockTempo,
  midiEvent,
  storedBindings,
  TARGETS,
  valueAt,
  type Target,
} from '../src/state/midi'

test('knobs, pads and clocks are understood, the rest is passed over', () => {
  expect(midiEvent(Uint8Array.of(0xb3, 21, 127))).toEqual({ kind: 'knob', id: '3/21', share: 1 })
  expect(midiEvent(Uint8Array.of(0x99, 36, 90))).toEqual({ kind: 'pad', id: '9/36' })
  expect(midiEvent(Uint8Array.of(0xf8))).toEqual({ kind: 'clock' })
  const others = [[], [0x99, 36, 0], [0x89, 36, 64], [0xe0, 0, 64], [0xf0, 1, 2, 0xf7], [0xb0, 1]]
  for (const data of others) expect(midiEvent(Uint8Array.from(data))).toBeNull()
})

test('a knob goes from one end of its target to the other, in its steps', () => {
  for (const target of Object.keys(TARGETS) as Target[]) {
    const { low, high } = TARGETS[target]
    expect(valueAt(target, 0)).toBe(low)
    expect(valueAt(target, 1)).toBe(high)
  }
  expect(valueAt('bpm', 0.5)).toBe(125)
})

test('a clock says its tempo after two beats, and begins anew after a stop', () => {
  const clock = new ClockTempo()
  const beat = 60_000 / 97
  let bpm: number | null = null
  for (let i = 0; i < 48; i++) bpm = clock.add((i * beat) / 24)
  expect(bpm).toBeNull()
  expect(clock.add(2 * beat)).toBeCloseTo(97, 6)
  expect(clock.add(2 * beat + 5000)).toBeNull()
})

test('a clock that is sent ticks 24 times a beat, with the bars', () => {
  const beats = { bpm: 120, bar: 1000, sampleRate: 48_000 }
  expect(clockTicks(1000, 4000, beats)).toEqual([1000, 2000, 3000])
  expect(clockTicks(4000, 5500, beats)).toEqual([4000, 5000])
  expect(clockTicks(0, 1500, beats)).toEqual([0, 1000])
  expect(clockTicks(0, 24_000 * 4, beats)).toHaveLength(96)
})

test('bindings that make no sense are left out', () => {
  const text = '{"knobs":{"0/21":"bpm","0/22":"world","x":"bpm"},"pads":{"9/36":"dub","9/37":5}}'
  expect(storedBindings(text)).toEqual({ knobs: { '0/21': 'bpm' }, pads: { '9/36': 'dub' } })
  for (const bad of [null, 'null', '{', '[]', '{"knobs":5}']) {
    expect(storedBindings(bad)).toEqual({ knobs: {}, pads: {} })
  }
})
