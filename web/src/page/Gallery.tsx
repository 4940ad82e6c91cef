import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { ORDERS, type Archive, type Order, type Riff } from '../riffs/api'
import { download } from '../riffs/picture'
import { Card } from './Card'
import { Dialog } from './Dialog'
import { api, dropped, gallery, said, session, titleOf } from './studio'

/** How long a riff that was deleted can be had back. */
const UNDO_MS = 8000
const ORDER_NAMES: Record<Order, string> = {
  newest: 'newest first',
  oldest: 'oldest first',
  longest: 'longest first',
  name: 'by name',
}

/** Riffs that are to go, each with the timer that will make it. */
const going = signal<{ riff: Riff; timer: number }[]>([])
const gone = new Set<string>()

/** Riffs that were kept. */
export function Gallery() {
  return gallery.value ? <Riffs /> : null
}

function Riffs() {
  const [query, setQuery] = useState('')
  const [order, setOrder] = useState<Order>('newest')
  const [riffs, setRiffs] = useState<Riff[] | null>(null)
  const [more, setMore] = useState<string | null>(null)
  const [wrong, setWrong] = useState('')
  const load = async (before?: string) => {
    try {
      const page = await api.list(query, order, before)
      const done = page.riffs.filter(({ state }) => state === 'done')
      setRiffs((known) => [...(before ? (known ?? []) : []), ...done])
      setMore(page.next)
      setWrong('')
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error))
    }
  }
  useEffect(() => {
    const wait = setTimeout(() => void load(), query ? 250 : 0)
    return () => clearTimeout(wait)
  }, [query, order])
  // A list that was asked for before may come after: what is to go is not shown.
  const hidden = new Set(going.value.map(({ riff }) => riff.id))
  const shown = riffs?.filter(({ id }) => !hidden.has(id) && !gone.has(id))
  return (
    <Dialog title="Gallery" wide onClose={() => (gallery.value = false)}>
      <div class="search">
        <input
          class="wide"
          type="search"
          aria-label="Search"
          placeholder="Words in title or prompt"
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
        <select
          aria-label="Order"
          value={order}
          onChange={(event) => setOrder(event.currentTarget.value as Order)}
        >
          {ORDERS.map((one) => (
            <option key={one} value={one}>
              {ORDER_NAMES[one]}
            </option>
          ))}
        </select>
        <label class="small file">
          Open a file
          <input
            type="file"
            accept="audio/*,image/png,image/jpeg"
            onChange={(event) => {
              gallery.value = false
              dropped.value = event.currentTarget.files?.[0] ?? null
            }}
          />
        </label>
        {api.archive && <ArchiveButtons archive={api.archive} onWrong={setWrong} onImport={load} />}
      </div>
      {wrong && <p role="alert">{wrong}</p>}
      {going.value.map(({ riff }) => (
        <p key={riff.id} class="undo" role="group" aria-label={`Deleted ${titleOf(riff)}`}>
          Deleted: {titleOf(riff)}
          <button class="small" onClick={() => undelete(riff)}>
            Undo
          </button>
        </p>
      ))}
      {shown?.length === 0 && (
        <p class="empty">
          {query
            ? 'Nothing with these words.'
            : 'Nothing here yet. What you make, record and keep, remix or paint is found here again.'}
        </p>
      )}
      <ul class="cards">
        {shown?.map((riff) => (
          <Card
            key={riff.id}
            riff={riff}
            onChanged={(now) =>
              setRiffs((known) => known?.map((one) => (one.id === now.id ? now : one)) ?? null)
            }
            onDelete={() => remove(riff)}
          />
        ))}
      </ul>
      {more && (
        <button class="small" onClick={() => void load(more)}>
          More
        </button>
      )}
    </Dialog>
  )
}

interface ArchiveProps {
  archive: Archive
  onWrong: (words: string) => void
  onImport: () => Promise<void>
}

/** The whole gallery as a file, and back. */
function ArchiveButtons({ archive, onWrong, onImport }: ArchiveProps) {
  const tried = (work: Promise<void>) => {
    work.catch((error: Error) => onWrong(error.message))
  }
  const take = async () => {
    const day = new Date().toISOString().slice(0, 10)
    download(await archive.exported(), `sonoriff-gallery-${day}.zip`)
  }
  const bring = async (file: File) => {
    const count = await archive.imported(file)
    said.value = count === 1 ? 'One riff is imported.' : `${count} riffs are imported.`
    await onImport()
  }
  return (
    <>
      <button class="small" onClick={() => tried(take())}>
        Export all
      </button>
      <label class="small file">
        Import
        <input
          type="file"
          accept=".zip"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0]
            event.currentTarget.value = ''
            if (file) tried(bring(file))
          }}
        />
      </label>
    </>
  )
}

/** Take a riff away; for a while it can be had back. */
function remove(riff: Riff): void {
  const timer = window.setTimeout(() => void forget(riff), UNDO_MS)
  going.value = [...going.value, { riff, timer }]
  said.value = `${titleOf(riff)} is deleted.`
}

function undelete(riff: Riff): void {
  clearTimeout(going.value.find((one) => one.riff.id === riff.id)?.timer)
  going.value = going.value.filter((one) => one.riff.id !== riff.id)
  said.value = `${titleOf(riff)} is back.`
}

async function forget(riff: Riff, late = false): Promise<void> {
  gone.add(riff.id)
  undelete(riff)
  try {
    await api.remove(riff, late)
  } catch (error) {
    gone.delete(riff.id)
    session.notice.value = `${titleOf(riff)} was not deleted. ${(error as Error).message}`
  }
}

window.addEventListener('pagehide', () => {
  for (const { riff } of going.value) void forget(riff, true)
})
