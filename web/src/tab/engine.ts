/** The engine of a page without a server: where its files are, and whether it is ready. */
import { EngineClient, threadsHere } from '@sonoriff/engine/client'
import type { About } from '@sonoriff/engine/about'
import native from '../../engine/native/engine.wasm?url'
import EngineWorker from '../../engine/src/worker?worker'
import mjs from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url'
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url'

/** `tab.json`, as `sonoriff export web` writes it. */
interface Tab {
  version: number
  /** Folder of the exported model. */
  model: string
  /** What all files are checked by. */
  files: Record<string, { bytes: number; sha256: string }>
}

const FORMAT_VERSION = 1

export class Engine {
  readonly client = new EngineClient(new EngineWorker())
  /** The model's numbers, once it is loaded. */
  readonly ready: Promise<About>
  /** Why the files were not found, in words. */
  private lost = ''

  /** @param tab address of `tab.json` */
  constructor(tab: URL) {
    const { client } = this
    this.ready = new Promise((resolve, reject) => {
      const settle = () => {
        if (client.about) resolve(client.about)
        else if (this.failure) reject(new Error(this.failure))
      }
      client.onChange = settle
      this.load(tab).catch((error: Error) => {
        this.lost = error.message
        settle()
      })
    })
    // It is said by `failure` too, and not everybody waits.
    this.ready.catch(() => {})
  }

  get failure(): string {
    return this.lost || this.client.failure
  }

  private async load(tab: URL): Promise<void> {
    const { model, files } = await described(tab)
    const stored = (address: string) => {
      const name = Object.keys(files).find((one) => new URL(one, tab).href === address)
      if (!name) throw new Error('The site is not whole: export it again.')
      return files[name]!
    }
    const places = { mjs: here(mjs), wasm: here(wasm), native: here(native) }
    this.client.load({
      ...places,
      folder: new URL(model, tab).href,
      stored: { wasm: stored(places.wasm), native: stored(places.native) },
      threads: threadsHere(),
    })
  }
}

const here = (address: string): string => new URL(address, location.href).href

async function described(tab: URL): Promise<Tab> {
  let answer: Response
  try {
    answer = await fetch(tab)
  } catch {
    throw new Error('The site cannot be reached: there is no connection.')
  }
  if (!answer.ok) throw new Error(`The site is not whole: ${tab.pathname} is missing.`)
  const told = (await answer.json().catch(() => null)) as Tab | null
  if (told?.version !== FORMAT_VERSION) throw new Error('The site is not whole: export it again.')
  return told
}
