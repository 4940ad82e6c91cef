import { describe, expect, it } from 'vitest'
import { crc32 } from '../src/tab/crc'
import { orderedRiffs, pageOf } from '../src/tab/lists'
import { withText } from '../src/tab/png'
import { unzipped, zipped } from '../src/tab/zip'
import type { Riff } from '../src/riffs/api'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('archives', () => {
  it('come back as they were', async () => {
    const members = [
      { name: 'a.json', data: new Blob(['{"prompt": "Orgel ä"}']) },
      { name: 'ä.png', data: new Blob([Uint8Array.of(0, 255, 1)]) },
      { name: 'empty', data: new Blob([]) },
    ]
    const back = await unzipped(await zipped(members))
    expect(back.map(({ name }) => name)).toEqual(['a.json', 'ä.png', 'empty'])
    expect(await back[0]!.data.text()).toBe('{"prompt": "Orgel ä"}')
    expect([...new Uint8Array(await back[1]!.data.arrayBuffer())]).toEqual([0, 255, 1])
    expect(await unzipped(await zipped([]))).toEqual([])
  })

  it('that are damaged are refused', async () => {
    const whole = await zipped([{ name: 'a', data: new Blob(['sound']) }])
    const data = new Uint8Array(await whole.arrayBuffer())
    const at = data.indexOf('s'.charCodeAt(0), 31)
    await expect(unzipped(new Blob([data.slice(0, -5)]))).rejects.toThrow('damaged')
    data[at]! ^= 1
    await expect(unzipped(new Blob([data]))).rejects.toThrow('damaged')
    await expect(unzipped(new Blob(['no archive']))).rejects.toThrow('damaged')
  })
})

describe('PNG files', () => {
  it('have a text before their pixels', async () => {
    expect(crc32(bytes('123456789'))).toBe(0xcbf43926)
    const head = new Uint8Array(33)
    const file = await withText(new Blob([head, 'pixels']), 'ä')
    const text = await file.text()
    expect(text.slice(33).startsWith('\0\0\0\u000fiTXtsonoriff\0\0\0\0\0ä')).toBe(true)
    expect(text.endsWith('pixels')).toBe(true)
  })
})

describe('the gallery of a tab', () => {
  const riff = (id: string, prompt: string, duration_s: number, title = ''): Riff => ({
    ...{ id, state: 'done', progress: 1, verb: 'generate', prompt, settings: { title } },
    ...{ created: `2026-01-01T00:00:${id}Z`, duration_s, error: null, files: {} },
  })
  const riffs = [riff('01', 'Organ', 2), riff('02', 'flute', 9), riff('03', 'organ', 5, 'Bach')]
  const ids = (query: string, order: 'newest' | 'oldest' | 'longest' | 'name') =>
    orderedRiffs(riffs, query, order).map(({ id }) => id)

  it('is searched and ordered', () => {
    expect(ids('', 'newest')).toEqual(['03', '02', '01'])
    expect(ids('', 'oldest')).toEqual(['01', '02', '03'])
    expect(ids('', 'longest')).toEqual(['02', '03', '01'])
    expect(ids('', 'name')).toEqual(['03', '02', '01'])
    expect(ids('ORGAN bach', 'newest')).toEqual(['03'])
    expect(ids('tuba', 'newest')).toEqual([])
  })

  it('comes in pages', () => {
    const many = Array.from({ length: 50 }, (_, i) => riff(String(i), '', 1))
    const first = pageOf(many)
    expect([first.riffs.length, first.next]).toEqual([24, '23'])
    expect(pageOf(many, '23').riffs[0]!.id).toBe('24')
    expect(pageOf(many, '47')).toEqual({ riffs: many.slice(48), next: null })
  })
})
