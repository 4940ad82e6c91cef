/** Lists that people arrange; every function gives a new list. */

/** The item at `from` put at `to`; out of range is brought into it. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, i) => i !== from)
  const item = list[from]
  if (item === undefined) return [...list]
  rest.splice(Math.max(0, Math.min(rest.length, to)), 0, item)
  return rest
}

/** `item` in front, its older twin gone, at most `most` of them. */
export function remembered<T>(list: readonly T[], item: T, most: number): T[] {
  return [item, ...list.filter((other) => other !== item)].slice(0, most)
}
