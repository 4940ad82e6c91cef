import { HIFI } from '../sonogram/format'
import { ColumnStore } from '../sonogram/store'

/** The columns of a sonogram picture, for the screen. */
export async function columnsOfPicture(url: string): Promise<ColumnStore> {
  const response = await fetch(url)
  if (!response.ok) throw new Error('The picture of this riff is gone.')
  const image = await createImageBitmap(await response.blob(), { colorSpaceConversion: 'none' })
  const { width, height } = image
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) throw new Error('This browser cannot read pictures.')
  context.drawImage(image, 0, 0)
  const { data } = context.getImageData(0, 0, width, height)
  const levels = new Uint8Array(width * height)
  for (let k = 0; k < width; k++) {
    for (let m = 0; m < height; m++) {
      levels[k * height + m] = data[4 * ((height - 1 - m) * width + k) + 1]!
    }
  }
  const store = new ColumnStore({ ...HIFI, nMels: height })
  store.add(0, width, levels)
  return store
}

/** A grey PNG picture of columns [from, to) of a store, as `sonoriff` draws them. */
export async function pictureOfColumns(
  store: ColumnStore,
  stretches: { from: number; to: number }[],
): Promise<Blob> {
  const { nMels } = store.format
  const columns = stretches.flatMap(({ from, to }) =>
    Array.from({ length: to - from }, (_, i) => store.column(from + i)),
  )
  const canvas = new OffscreenCanvas(Math.max(1, columns.length), nMels)
  const context = canvas.getContext('2d')
  if (!context) throw new Error('This browser cannot make pictures.')
  const image = context.createImageData(canvas.width, nMels)
  columns.forEach((column, k) => {
    for (let m = 0; m < nMels; m++) {
      const at = 4 * ((nMels - 1 - m) * canvas.width + k)
      image.data.fill(column?.[m] ?? 0, at, at + 3)
      image.data[at + 3] = 255
    }
  })
  context.putImageData(image, 0, 0)
  return canvas.convertToBlob({ type: 'image/png' })
}

/** Hand a file to the person. */
export function download(data: Blob | string, name: string): void {
  const link = document.createElement('a')
  link.href = typeof data === 'string' ? data : URL.createObjectURL(data)
  link.download = name
  link.click()
  if (typeof data !== 'string') setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
