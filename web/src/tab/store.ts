/** Riffs in the browser's own database. */
import type { Riff } from '../riffs/api'

export interface Kept {
  id: string
  /** Without its files. */
  riff: Riff
  png: Blob
  wav: Blob
}

const DATABASE = 'sonoriff'
const VERSION = 1
const RIFFS = 'riffs'

export class RiffStore {
  private opening: Promise<IDBDatabase> | null = null

  async put(kept: Kept): Promise<void> {
    // Asked for once there is something to lose; without it a full disk may take the gallery.
    void navigator.storage?.persist?.().catch(() => false)
    try {
      await this.done('readwrite', (riffs) => riffs.put(kept))
    } catch (error) {
      const full = error instanceof DOMException && error.name === 'QuotaExceededError'
      if (!full) throw error
      throw new Error('The browser has no room for this riff: export the gallery, or delete some.')
    }
  }

  get(id: string): Promise<Kept | undefined> {
    return this.done('readonly', (riffs) => riffs.get(id) as IDBRequest<Kept | undefined>)
  }

  all(): Promise<Kept[]> {
    return this.done('readonly', (riffs) => riffs.getAll() as IDBRequest<Kept[]>)
  }

  async remove(id: string): Promise<void> {
    await this.done('readwrite', (riffs) => riffs.delete(id))
  }

  /** The result of a request, once it is written. */
  private async done<T>(
    mode: IDBTransactionMode,
    ask: (riffs: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> {
    this.opening ??= opened()
    const database = await this.opening.catch((error: unknown) => {
      this.opening = null
      throw error
    })
    const transaction = database.transaction(RIFFS, mode)
    const request = ask(transaction.objectStore(RIFFS))
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result)
      transaction.onabort = () => reject(transaction.error ?? request.error!)
    })
  }
}

function opened(): Promise<IDBDatabase> {
  const refused = new Error('This browser keeps no riffs: a private window may be the reason.')
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION)
    request.onupgradeneeded = () => request.result.createObjectStore(RIFFS, { keyPath: 'id' })
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(refused)
  })
}
