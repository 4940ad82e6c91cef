/// <reference lib="webworker" />
import type { LevelMessage, SoundMessage } from '../audio/messages'
import { StreamClient, type ClientEvents } from './client'
import { portLines, socketLine, type Dial, type Line } from './line'
import type { WorkerCommand, WorkerEvent } from './messages'
import { Reel } from './reel'

/**
 * Holds the stream's line and feeds the audio thread over a port of its own: a busy page cannot make the
 * music stop.
 */
const scope = self as unknown as DedicatedWorkerGlobalScope
const TICK_MS = 50
const CLIP_AHEAD_S = 4
const CLIP_BLOCK = 16384
const OUTPUTS = 2

let port: MessagePort | null = null
let line: Line | null = null
/** How lines are opened: by the engine's port, else by the server's address. */
let streams: Dial | null = null
let dial: Dial | null = null
let source = 0
let playing = false
let level = { source: 0, position: 0, buffered: 0, underruns: 0 }
let clip: { frames: Float32Array; channels: number; sent: number; loop: boolean } | null = null
let reel: Reel | null = null
let sampleRate = 44100
let toLoad: number | null = null

const say = (event: WorkerEvent, transfer: Transferable[] = []) =>
  scope.postMessage(event, transfer)
/** Sound that came before the audio thread was there. */
let early: [SoundMessage, Transferable[]][] = []
const sound = (message: SoundMessage, transfer: Transferable[] = []) => {
  if (port) port.postMessage(message, transfer)
  else early.push([message, transfer])
}
const seconds = () => performance.now() / 1000

const events: ClientEvents = {
  open: openLine,
  send: (message) => line?.send(message),
  close: closeLine,
  connection: (state, why) => say({ type: 'connection', state, why }),
  ready(ready, fresh) {
    sampleRate = ready.sample_rate
    if (fresh) {
      // What was heard before goes on until the new sound is there.
      source += 1
      level = { source, position: ready.next_sample, buffered: 0, underruns: 0 }
      toLoad = ready.next_sample
    }
    say({ type: 'ready', ready, source })
    tick()
  },
  window: (window) => say({ type: 'window', window, source }),
  scheduled: (scheduled) => say({ type: 'scheduled', scheduled }),
  status: (status) => say({ type: 'status', status }),
  error: (error) => say({ type: 'error', error }),
  sound(frame) {
    if (toLoad !== null) sound({ type: 'load', source, first: toLoad })
    toLoad = null
    const frames = stereo(frame.frames, frame.channels)
    sound({ type: 'sound', source, frames }, [frames.buffer])
  },
  columns(frame) {
    const { firstSample: first, count, levels } = frame
    say({ type: 'columns', source, first, count, levels }, [levels.buffer])
  },
}
const client = new StreamClient(events)

function openLine(): void {
  const mine: Line | undefined = dial?.({
    opened: () => mine === line && client.opened(),
    received: (data) => mine === line && client.received(data),
    closed(code) {
      if (mine !== line) return
      line = null
      client.closed(code, seconds())
    },
  })
  line = mine ?? null
}

function closeLine(): void {
  const old = line
  line = null
  old?.close()
}

/** Interleaved frames for two loudspeakers. */
function stereo(frames: Float32Array, channels: number): Float32Array {
  if (channels === OUTPUTS) return frames
  const wide = new Float32Array((OUTPUTS * frames.length) / channels)
  for (let i = 0; i < wide.length; i++) wide[i] = frames[Math.floor(i / OUTPUTS) * channels]!
  return wide
}

/** Keep a few seconds of the clip in front of the playhead. */
function feedClip(): void {
  if (!clip || level.source !== source) return
  const total = clip.frames.length / clip.channels
  while (clip.sent - level.position < CLIP_AHEAD_S * sampleRate) {
    const first = clip.sent % total
    // Frames go on being counted from turn to turn.
    if (first === 0 && clip.sent > 0 && !clip.loop) return
    const end = Math.min(total, first + CLIP_BLOCK)
    const part = clip.frames.slice(first * clip.channels, end * clip.channels)
    const frames = stereo(part, clip.channels)
    sound({ type: 'sound', source, frames }, [frames.buffer])
    clip.sent += end - first
    if (end === total && !clip.loop) sound({ type: 'finish', source })
  }
}

function fromWorklet(message: LevelMessage): void {
  if (message.type === 'heard') {
    reel?.add(message.source, message.first, message.frames, message.channels)
  } else if (message.type === 'recorded') {
    const recording = reel?.finish()
    reel = null
    if (recording) say({ type: 'recorded', recording }, [recording.wav])
  } else if (message.source === source) level = message
}

function command(message: WorkerCommand): void {
  switch (message.type) {
    case 'port':
      port = message.port
      port.onmessage = (event: MessageEvent<LevelMessage>) => fromWorklet(event.data)
      for (const [message, transfer] of early) port.postMessage(message, transfer)
      early = []
      break
    case 'streams':
      streams = portLines(message.port)
      break
    case 'start':
      dial = streams ?? socketLine(message.url)
      // Sound is made while the page still opens its output.
      playing = true
      clip = null
      client.start(message.scene, message.key)
      break
    case 'scene':
      client.changeScene(message.change, message.id, message.at)
      break
    case 'playing':
      playing = message.on
      break
    case 'clip':
      client.stop()
      source += 1
      toLoad = null
      level = { source, position: 0, buffered: 0, underruns: 0 }
      clip = {
        frames: message.frames,
        channels: message.channels,
        sent: 0,
        loop: message.loop,
      }
      sound({ type: 'load', source, first: 0 })
      say({ type: 'clip', source })
      break
    case 'loop':
      if (clip) clip.loop = message.on
      break
    case 'record':
      if (message.on) reel = new Reel(message.sampleRate)
      sound({ type: 'record', on: message.on })
      break
    case 'stop':
      client.stop()
  }
}

function tick(): void {
  const { position, underruns } = level
  client.tick(seconds(), { position, underruns, playing: playing && clip === null })
}

scope.onmessage = (event: MessageEvent<WorkerCommand>) => command(event.data)
setInterval(() => {
  tick()
  feedClip()
}, TICK_MS)
