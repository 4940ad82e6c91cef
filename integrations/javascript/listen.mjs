// Listen to a stream for some seconds, change it on the way, and keep it as a WAV file.
//
// Usage: node listen.mjs "church bells" "electronic beats" 20 out.wav [http://127.0.0.1:3013]
//
// Beside it: cd web && npm ci && npm run build:client -- --outDir ../integrations/javascript
// Wants Node 22 or newer, which has WebSocket.
import { writeFileSync } from 'node:fs'
import { Api, Listener } from './sonoriff-client.js'

const [first, then, seconds, target, server = 'http://127.0.0.1:3013'] = process.argv.slice(2)
const playing = (text) => ({ prompts: [{ text, weight: 1 }] })
const parts = []
let count = 0

const listener = new Listener(new Api(`${server}/`).streamUrl, playing(first), {
  sound(frame, rate) {
    parts.push(Buffer.from(frame.frames.buffer, frame.frames.byteOffset, frame.frames.byteLength))
    listener.use(frame.count)
    const half = (seconds * rate) / 2
    if (count < half && count + frame.count >= half) listener.change(playing(then))
    count += frame.count
    if (count >= 2 * half) save(frame.channels, rate)
  },
  window: ({ prompts }) => console.log(prompts.map(({ text }) => text).join(' + ')),
  trouble: (line) => console.error(line),
})

// Samples of 32 bits, as they came.
function save(channels, rate) {
  listener.stop()
  const sound = Buffer.concat(parts)
  const header = Buffer.alloc(44)
  header.write('RIFF    WAVEfmt ')
  header.write('data', 36)
  const words = { 4: 36 + sound.length, 16: 16, 24: rate, 28: 4 * channels * rate, 40: sound.length }
  for (const [at, value] of Object.entries(words)) header.writeUInt32LE(value, Number(at))
  const halves = { 20: 3, 22: channels, 32: 4 * channels, 34: 32 }
  for (const [at, value] of Object.entries(halves)) header.writeUInt16LE(value, Number(at))
  writeFileSync(target, Buffer.concat([header, sound]))
}
