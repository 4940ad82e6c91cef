import { expect, test } from 'vitest'
import { Outlet } from '../src/audio/outlet'

const options = { channels: 1, capacity: 4000, fade: 20, startAt: 100, resumeAt: 200 }

function ramp(from: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => 1 + from + i)
}

function rendered(outlet: Outlet, count: number): number[] {
  const out = new Float32Array(count)
  outlet.render([out])
  return [...out]
}

test('plays every frame once, in order, with a fade at the beginning only', () => {
  const outlet = new Outlet(options)
  outlet.load(1, 0)
  outlet.play()
  outlet.push(1, ramp(0, 1000))
  const out = rendered(outlet, 500)
  expect(out.slice(20)).toEqual([...ramp(20, 480)])
  expect(outlet.position).toBe(500)
  expect(out.slice(0, 20).every((value, i) => value <= i + 1)).toBe(true)
})

test('fades out before it runs dry, loses nothing, and counts it', () => {
  const outlet = new Outlet(options)
  outlet.load(1, 0)
  outlet.play()
  outlet.push(1, ramp(0, 300))
  rendered(outlet, 400)
  expect([outlet.underruns, outlet.state]).toEqual([1, 'waiting'])
  const held = outlet.position
  outlet.push(1, ramp(300, 500))
  const again = rendered(outlet, 100)
  expect(outlet.position).toBe(held + 100)
  expect(again.at(-1)).toBe(held + 100)
})

test('a pause and another source fade; the frames of the old one are dropped', () => {
  const outlet = new Outlet(options)
  outlet.load(1, 0)
  outlet.play()
  outlet.push(1, ramp(0, 500))
  rendered(outlet, 200)
  outlet.load(2, 70)
  outlet.push(2, ramp(5000, 500))
  outlet.push(1, ramp(500, 500))
  rendered(outlet, 60)
  expect([outlet.heardSource, outlet.underruns]).toEqual([2, 0])
  outlet.pause()
  rendered(outlet, 100)
  expect([outlet.state, outlet.underruns]).toEqual(['paused', 0])
})

test('the end of what was finished is no underrun', () => {
  const outlet = new Outlet(options)
  outlet.load(1, 0)
  outlet.play()
  outlet.push(1, ramp(0, 60))
  outlet.finish(1)
  rendered(outlet, 100)
  expect([outlet.state, outlet.underruns]).toEqual(['ended', 0])
})
