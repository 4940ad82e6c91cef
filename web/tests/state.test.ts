import { expect, test } from 'vitest'
import { KEYS, keyNamed, keyShown } from '../src/state/keys'
import { linkFromRiff, linkFromScene, riffFromLink, sceneFromLink } from '../src/state/link'
import { moved, remembered } from '../src/state/list'
import { FIRST_SCENE, shareOf } from '../src/state/scene'
import { heightAtHz, HIFI, hzAtHeight, noteName } from '../src/sonogram/format'
import { ColumnStore } from '../src/sonogram/store'
import { StreamClient } from '../src/stream/client'
import { parseFrame, type ClientMessage } from '../src/stream/protocol'

test('a link carries the whole scene, whatever is written in it', () => {
  const scene = {
    ...FIRST_SCENE,
    prompts: [
      { text: '50% Zürich & "rain"?', weight: 0.75 },
      { text: 'a+b=c #1', weight: 0.25 },
    ],
    negative_prompt: 'drums & voice',
    seed: 2 ** 53 - 1,
    alpha: 0.75,
    bpm: 97.5,
    mode: 'riff' as const,
    key: 'D minor',
    energy: 4,
    chords: 'Am:2 F | G/B',
  }
  expect({ ...FIRST_SCENE, ...sceneFromLink(linkFromScene(scene)) }).toEqual(scene)
})

test('what makes no sense in a link is left out', () => {
  const link =
    '?prompt=jazz&weight=-4&seed=1e99&bpm=fast&mode=up&bars=3&key=H&alpha=1&energy=9&chords=Hm7x'
  expect(sceneFromLink(link)).toEqual({ prompts: [{ text: 'jazz', weight: 1 }] })
})

test('lists are arranged', () => {
  expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a'])
  expect(moved(['a', 'b', 'c'], 2, -1)).toEqual(['c', 'a', 'b'])
  expect(remembered(['a', 'b'], 'b', 2)).toEqual(['b', 'a'])
})

test('a morph says how far it is', () => {
  const heard = [
    { text: 'a', weight: 3 },
    { text: 'b', weight: 1 },
  ]
  expect(shareOf([{ text: 'b', weight: 1 }], heard)).toBe(0.25)
})

test('rows and frequencies belong together', () => {
  for (const hz of [50, 440, 8000]) {
    expect(hzAtHeight(HIFI, heightAtHz(HIFI, hz))).toBeCloseTo(hz, 6)
  }
  expect(noteName(440)).toBe('A4')
})

test('columns that come again are kept, the oldest give way', () => {
  const store = new ColumnStore({ ...HIFI, nMels: 2 })
  store.add(5, 2, Uint8Array.of(1, 2, 3, 4))
  store.add(6, 2, Uint8Array.of(9, 9, 5, 6))
  expect([store.first, store.end]).toEqual([5, 8])
  expect([5, 6, 7].map((k) => [...store.column(k)!])).toEqual([
    [1, 2],
    [3, 4],
    [5, 6],
  ])
})

test('frames of the wire are read, garbage is not', () => {
  const frame = new ArrayBuffer(20)
  const view = new DataView(frame)
  view.setUint8(0, 1)
  view.setUint8(1, 1)
  view.setUint8(2, 1)
  view.setUint32(4, 2, true)
  view.setBigUint64(8, 7n, true)
  view.setInt16(16, 32767, true)
  view.setInt16(18, -32767, true)
  const parsed = parseFrame(frame)
  expect(parsed).toMatchObject({ kind: 'sound', firstSample: 7, count: 2 })
  expect(parsed?.kind === 'sound' && [...parsed.frames]).toEqual([1, -1])
  view.setUint32(4, 3, true)
  expect(parseFrame(frame)).toBeNull()
})

test('a lost connection is opened again and resumes where it was', () => {
  const sent: ClientMessage[] = []
  let opened = 0
  const ignore = () => {}
  const client = new StreamClient({
    open: () => opened++,
    send: (message) => sent.push(message),
    close: ignore,
    connection: ignore,
    ready: ignore,
    window: ignore,
    scheduled: ignore,
    status: ignore,
    error: ignore,
    sound: ignore,
    columns: ignore,
  })
  client.start({})
  client.opened()
  const ready = { type: 'ready', session: 's', next_sample: 0, sample_rate: 44100, scene: {} }
  client.received(JSON.stringify(ready))
  client.tick(0, { position: 0, underruns: 0, playing: true })
  expect(sent.at(-1)).toMatchObject({ type: 'want', until: 2 * 44100 })
  client.closed(1006, 0)
  client.tick(0.1, { position: 0, underruns: 0, playing: true })
  expect(opened).toBe(1)
  client.tick(0.5, { position: 0, underruns: 0, playing: true })
  client.opened()
  expect(opened).toBe(2)
  expect(sent.at(-1)).toMatchObject({ resume: { session: 's', next_sample: 0 } })
})

test('keys are read however they are spelled, and written as musicians do', () => {
  expect(KEYS.length).toBe(24)
  expect(new Set(KEYS.map((key) => keyNamed(key))).size).toBe(24)
  expect(keyNamed('A# major')).toBe('Bb major')
  expect(keyNamed('a♯ MINOR')).toBe('Bb minor')
  expect(keyNamed('Db minor')).toBe('C# minor')
  expect(keyNamed('Cb major')).toBe('B major')
  expect(keyNamed('H minor')).toBeNull()
  expect(keyNamed('in a minor')).toBeNull()
  expect(keyShown('A# major')).toBe('B♭ major')
  expect(keyShown('something')).toBe('something')
})

test('the link of a riff names it and nothing else', () => {
  expect(riffFromLink(linkFromRiff('abc-123_X'))).toBe('abc-123_X')
  expect(riffFromLink('?riff=../../etc')).toBeNull()
  expect(riffFromLink('?prompt=jazz')).toBeNull()
})
