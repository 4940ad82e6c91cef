/// <reference lib="webworker" />
/** The engine in a worker: streams and verbs of one model. */
import { decode } from './codec/decoder'
import { encode } from './codec/encoder'
import {
  bytesOfModel,
  fileLoader,
  forgetOthers,
  keepForLater,
  loadAbout,
  loadWhole,
  Progress,
  whatIsMissing,
} from './files/store'
import type {
  EngineCommand,
  EngineEvent,
  FromStream,
  Picture,
  Places,
  ToStream,
  Work,
} from './messages'
import { Model } from './model/model'
import type { About, StoredFile } from './model/about'
import { prepare, type LoadFile } from './model/networks'
import { Grid } from './pipeline/grid'
import { breathing, type OnStep } from './pipeline/paint'
import { generate, inpaint, loop, remix, type Piece } from './pipeline/verbs'
import { StreamHost, wordsOfError } from './stream/host'
import { Turns } from './turns'

const scope = self as unknown as DedicatedWorkerGlobalScope
const turns = new Turns()
const stops = new Map<number, AbortController>()
let model: Model | null = null

const say = (event: EngineEvent, transfer: Transferable[] = []) =>
  scope.postMessage(event, transfer)

async function load(places: Places): Promise<void> {
  const { folder, threads, stored } = places
  try {
    const missing = whatIsMissing()
    if (missing) throw new Error(missing)
    const about = await loadAbout(folder)
    const total = bytesOfModel(about) + (stored ? stored.wasm.bytes + stored.native.bytes : 0)
    const progress = new Progress(total, (loaded) => say({ type: 'loading', loaded, total }))
    const loadFile = fileLoader(folder, about, progress)
    const native = await programs(places, progress)
    model = await Model.load(about, loadFile, native)
    say({ type: 'ready', about, threads })
    tidy(places, about, loadFile).catch(() => {
      // What is not there is fetched once it is needed, and complained of then.
    })
  } catch (error) {
    const words = wordsOfError(error)
    const short = /memory|allocation/i.test(words)
    say({ type: 'failed', message: short ? `The memory does not suffice: ${words}` : words })
  }
}

/** See that the browser keeps all of this version, and nothing else. */
async function tidy({ folder, wasm, native, stored }: Places, about: About, load: LoadFile) {
  await keepForLater(about, load)
  const files = Object.entries(about.files)
  await forgetOthers([
    ...files.map(([name, file]): [string, StoredFile] => [new URL(name, folder).href, file]),
    ...(stored ? [[wasm, stored.wasm] as const, [native, stored.native] as const] : []),
  ])
}

/** Set onnxruntime up; the codec's program. */
async function programs(places: Places, progress: Progress): Promise<ArrayBuffer> {
  const { mjs, wasm, native, threads, stored } = places
  const checked = (url: string, name: 'wasm' | 'native') =>
    stored && loadWhole(url, stored[name], (bytes) => progress.at(name, bytes))
  prepare({ mjs, wasm, threads, code: await checked(wasm, 'wasm') })
  return (await checked(native, 'native')) ?? (await fetch(native)).arrayBuffer()
}

/** Streams of a worker, which come and go. */
function serve(port: MessagePort): void {
  const hosts = new Map<number, StreamHost>()
  const tell = (message: FromStream, transfer: Transferable[] = []) =>
    port.postMessage(message, transfer)
  const open = (id: number) => {
    const close = (code: number) => {
      hosts.delete(id)
      tell({ id, type: 'closed', code })
    }
    tell({ id, type: 'opened' })
    if (!model) {
      const loading = { type: 'error', code: 'loading', message: 'the model is being loaded' }
      tell({ id, type: 'message', data: JSON.stringify(loading) })
      close(4503)
      return
    }
    const send = (message: object | ArrayBuffer) => {
      if (message instanceof ArrayBuffer) tell({ id, type: 'message', data: message }, [message])
      else tell({ id, type: 'message', data: JSON.stringify(message) })
    }
    hosts.set(id, new StreamHost(model, send, close, (work) => turns.soon(work)))
  }
  port.onmessage = ({ data }: MessageEvent<ToStream>) => {
    if (data.type === 'open') open(data.id)
    else if (data.type === 'message') hosts.get(data.id)?.received(data.message)
    else {
      hosts.get(data.id)?.end()
      hosts.delete(data.id)
    }
  }
}

async function work(id: number, asked: Work): Promise<void> {
  const stop = new AbortController()
  stops.set(id, stop)
  try {
    if (!model) throw new Error('The model is being loaded.')
    const ready = model
    const onStep = breathing(stop.signal, async (step, steps) => {
      say({ type: 'progress', id, step, steps })
      await turns.giveWay()
    })
    const { values, samples, settings } = await turns.patiently(() => done(ready, asked, onStep))
    const { channels, rows, width, data } = values
    say({ type: 'done', id, picture: { channels, rows, width, data }, samples, settings }, [
      data.buffer,
      ...samples.map(({ buffer }) => buffer),
    ])
  } catch (error) {
    say({ type: 'error', id, message: wordsOfError(error) })
  } finally {
    stops.delete(id)
  }
}

async function done(ready: Model, asked: Work, onStep: OnStep): Promise<Piece> {
  const { native, about } = ready
  switch (asked.verb) {
    case 'generate':
      return generate(ready, asked.settings, onStep)
    case 'loop':
      return loop(ready, asked.settings, onStep)
    case 'remix':
      return remix(ready, gridOf(asked.source), asked.settings, onStep)
    case 'inpaint':
      return inpaint(ready, gridOf(asked.source), gridOf(asked.mask), asked.settings, onStep)
    case 'decode': {
      const values = gridOf(asked.source)
      return { values, samples: decode(native, about.sonogram, values), settings: {} }
    }
    case 'encode': {
      const { samples } = asked
      return { values: encode(native, about.sonogram, samples), samples, settings: {} }
    }
  }
}

const gridOf = ({ channels, rows, width, data }: Picture) => new Grid(channels, rows, width, data)

scope.onmessage = ({ data }: MessageEvent<EngineCommand>) => {
  if (data.type === 'load') void load(data)
  else if (data.type === 'streams') serve(data.port)
  else if (data.type === 'work') void work(data.id, data.work)
  else stops.get(data.id)?.abort()
}
