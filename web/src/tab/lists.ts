/** Which riffs a gallery shows, and in what order. */
import type { Order, Riff } from '../riffs/api'

const PAGE = 24

const later = (a: Riff, b: Riff): number =>
  a.created === b.created ? b.id.localeCompare(a.id) : b.created.localeCompare(a.created)

const ORDERS: Record<Order, (a: Riff, b: Riff) => number> = {
  newest: later,
  oldest: (a, b) => later(b, a),
  longest: (a, b) => (b.duration_s ?? 0) - (a.duration_s ?? 0) || later(a, b),
  name: (a, b) => titleOf(a).localeCompare(titleOf(b)) || later(a, b),
}

/** A riff's title, else its prompt. */
export function titleOf({ settings, prompt }: Riff): string {
  return typeof settings.title === 'string' && settings.title ? settings.title : prompt
}

/** Those with all words of a query in title or prompt. */
export function orderedRiffs(riffs: Riff[], query: string, order: Order): Riff[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const has = (riff: Riff) => {
    const text = `${titleOf(riff)} ${riff.prompt}`.toLowerCase()
    return words.every((word) => text.includes(word))
  }
  return riffs.filter(has).sort(ORDERS[order])
}

/** The page after the riff `before`, and what the next page comes after. */
export function pageOf(riffs: Riff[], before?: string): { riffs: Riff[]; next: string | null } {
  const first = before ? riffs.findIndex(({ id }) => id === before) + 1 : 0
  const page = riffs.slice(first, first + PAGE)
  return { riffs: page, next: first + PAGE < riffs.length ? page.at(-1)!.id : null }
}
