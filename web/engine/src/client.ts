/** The engine as a page sees it. */
import type { EngineCommand, EngineEvent, Picture, Places, Work } from './messages'
import type { About } from './model/about'

/** A finished piece of work. */
export interface Result {
  picture: Picture
  samples: Float32Array[]
  settings: object
}

export type OnProgress = (share: number) => void

interface Waiting {
  resolve(result: Result): void
  reject(error: Error): void
  onProgress: OnProgress
}

/** Threads that a page may have: two where it is isolated, which is all that two cores bear. */
export const threadsHere = (): number =>
  globalThis.crossOriginIsolated ? Math.min(2, Math.max(1, navigator.hardwareConcurrency ?? 1)) : 1

/** Loads a model in a worker, and hands it work. */
export class EngineClient {
  /** How far the model is loaded, 0 to 1. */
  loaded = 0
  about: About | null = null
  /** Why there is no model, in words; empty while there may be one. */
  failure = ''
  onChange: () => void = () => {}
  private readonly waiting = new Map<number, Waiting>()
  private ids = 0

  constructor(private readonly worker: Worker) {
    worker.onmessage = ({ data }: MessageEvent<EngineEvent>) => this.received(data)
    worker.onerror = ({ message }) => this.fail(message || 'The engine stopped.')
  }

  /** Load a model. */
  load(places: Places): void {
    this.say({ type: 'load', ...places })
  }

  /** A port over which streams are asked for. */
  streams(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.say({ type: 'streams', port: port1 }, [port1])
    return port2
  }

  /** Do a piece of work; `abort` of the signal stops it. */
  work(work: Work, onProgress: OnProgress = () => {}, signal?: AbortSignal): Promise<Result> {
    const id = ++this.ids
    signal?.addEventListener('abort', () => this.say({ type: 'cancel', id }))
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, onProgress })
      this.say({ type: 'work', id, work })
    })
  }

  private received(event: EngineEvent): void {
    if (event.type === 'loading') this.loaded = event.loaded / event.total
    else if (event.type === 'ready') this.about = event.about
    else if (event.type === 'failed') this.fail(event.message)
    else {
      const waiting = this.waiting.get(event.id)
      if (event.type === 'progress') waiting?.onProgress(event.step / event.steps)
      else {
        this.waiting.delete(event.id)
        if (event.type === 'done') waiting?.resolve(event)
        else waiting?.reject(new Error(event.message))
      }
      return
    }
    this.onChange()
  }

  private fail(message: string): void {
    this.failure = message
    for (const { reject } of this.waiting.values()) reject(new Error(message))
    this.waiting.clear()
    this.onChange()
  }

  private say(command: EngineCommand, transfer: Transferable[] = []): void {
    this.worker.postMessage(command, transfer)
  }
}
