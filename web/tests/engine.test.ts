import { expect, test } from 'vitest'
import { realFft } from '../engine/src/math/fft'
import { Grid, roundEven } from '../engine/src/pipeline/grid'
import { windowColumns } from '../engine/src/pipeline/tiling'
import { DEFAULT_SCENE } from '../engine/src/protocol'
import { checkedScene, pruned, sceneAt, withScene } from '../engine/src/stream/scene'
import { Session, type Chunk } from '../engine/src/stream/session'
import type { StreamWindow } from '../engine/src/protocol'
import { Turns } from '../engine/src/turns'

/** The transform by its definition. */
function slowly(x: number[]): [number, number][] {
  return Array.from({ length: 1 + Math.floor(x.length / 2) }, (_, k) => {
    let [re, im] = [0, 0]
    x.forEach((value, i) => {
      const angle = (2 * Math.PI * ((k * i) % x.length)) / x.length
      re += value * Math.cos(angle)
      im -= value * Math.sin(angle)
    })
    return [re, im]
  })
}

test.each([2, 5, 12, 60, 64, 90, 97, 1009, 3 * 337])('a transform of %i points', (n) => {
  const x = Array.from({ length: n }, (_, i) => Math.sin(i * i) + (i % 3))
  const fft = realFft(n)
  fft.forward(x)
  slowly(x).forEach(([re, im], k) => {
    expect(fft.re[k]).toBeCloseTo(re, 8)
    expect(fft.im[k]).toBeCloseTo(im, 8)
  })
  const back = fft.inverse()
  x.forEach((value, i) => expect(back[i]).toBeCloseTo(value, 10))
})

test('halves are rounded to the even neighbour, as Python does', () => {
  expect([0.5, 1.5, 2.5, -0.5, 2.4999, 7].map(roundEven)).toEqual([0, 2, 2, 0, 2, 7])
})

test('windows cover a long grid, and a circle over its join', () => {
  const columns = windowColumns(150, 64, 16, false)
  expect(new Set(columns.flat()).size).toBe(150)
  expect(columns.every((window) => window.length === 64)).toBe(true)
  const circle = windowColumns(50, 64, 16, true)
  expect(circle.some((window) => window.indexOf(0) > 0)).toBe(true)
})

test('columns are taken, repeated and joined', () => {
  const grid = new Grid(1, 2, 3, Float32Array.of(1, 2, 3, 4, 5, 6))
  expect([...grid.columns([2, 0, 0]).data]).toEqual([3, 1, 1, 6, 4, 4])
  expect([...Grid.joined([grid.slice(1), grid.slice(0, 1)]).data]).toEqual([2, 3, 1, 5, 6, 4])
})

test('a scene is checked, and what is wrong is said', () => {
  expect(checkedScene({}).num_inference_steps).toBe(8)
  const wrong: [object, RegExp][] = [
    [{ bpm: 5 }, /bpm must be in \[30, 300\], got 5/],
    [{ seed: 0.5 }, /whole/],
    [{ prompts: [] }, /1 to 4 prompts/],
    [{ prompts: [{ text: '(x:99)', weight: 1 }] }, /a weight must be in/],
    [{ key: 'H' }, /a key is a letter/],
    [{ bars: 3 }, /1, 2, 4 or 8/],
    [{ tempo: 3 }, /no tempo/],
    [{ strength: 0 }, /strength/],
    [{ num_inference_steps: 51 }, /num_inference_steps/],
  ]
  for (const [fields, words] of wrong) expect(() => checkedScene(fields)).toThrow(words)
})

test('a schedule forgets what is over', () => {
  const other = checkedScene({ seed: 4 })
  const cues = withScene(withScene([{ scene: DEFAULT_SCENE, at: 0 }], other, 100), other, 200)
  expect(sceneAt(cues, 150)).toBe(other)
  expect(pruned(cues, 150)).toEqual([
    { scene: other, at: 0 },
    { scene: other, at: 200 },
  ])
  expect(withScene(cues, DEFAULT_SCENE, 0)).toEqual([{ scene: DEFAULT_SCENE, at: 0 }])
})

const FORM = {
  ...{ sampleRate: 100, channels: 1, hopLength: 5, mels: 2 },
  ...{ cellSamples: 10, lagSamples: 20, columnLead: 2 },
}

function chunk(index: number, first: number, end: number): Chunk {
  const place = { index, first_sample: first, end_sample: end, mode: 'flow', scene: DEFAULT_SCENE }
  const [from, to] = [first, end].map((sample) => Math.max(0, sample - 20)) as [number, number]
  return {
    window: { type: 'window', ...place } as StreamWindow,
    firstColumn: from / 5,
    columns: new Uint8Array(2 * ((to - from) / 5)).fill(index),
    firstSample: from,
    sound: Int16Array.from({ length: to - from }, (_, i) => from + i),
    state: null,
  }
}

test('every sample is sent once and in order; a change ends the window under way', () => {
  const session = new Session(FORM, DEFAULT_SCENE, 3000)
  session.want(100)
  session.add(chunk(0, 0, 300))
  const sent = session.outgoing()!
  expect((sent[0] as StreamWindow).end_sample).toBe(300)
  const sound = new Int16Array(sent.at(-1) as ArrayBuffer, 16)
  expect([...sound]).toEqual(Array.from({ length: 100 }, (_, i) => i))
  expect(session.outgoing()).toBeNull()
  const from = session.change(checkedScene({ seed: 9 }), null, false)
  expect([from, session.cutTo]).toEqual([120, 120])
  session.add({ ...chunk(0, 0, 120) })
  session.add(chunk(1, 120, 420))
  session.want(1000)
  const later = session.outgoing()!
  const windows = later.filter((message) => !(message instanceof ArrayBuffer)) as StreamWindow[]
  expect(windows.map(({ index, end_sample: end }) => [index, end])).toEqual([
    [0, 120],
    [1, 420],
  ])
  expect(session.nextSample).toBe(400)
})

test('a stream comes between two steps of other work', async () => {
  const turns = new Turns()
  const done: string[] = []
  const long = turns.patiently(async () => {
    done.push('first step')
    void turns.soon(async () => void done.push('window'))
    await turns.giveWay()
    done.push('second step')
  })
  await long
  await turns.soon(async () => void done.push('another window'))
  expect(done).toEqual(['first step', 'window', 'second step', 'another window'])
})

test('work that fails lets the next one begin', async () => {
  const turns = new Turns()
  await expect(turns.soon(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await turns.patiently(async () => 3)).toBe(3)
})
