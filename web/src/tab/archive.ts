/** The gallery as one file: of each riff what is known of it, its picture and its sound. */
import type { Archive, Riff } from '../riffs/api'
import type { RiffStore } from './store'
import { unzipped, zipped, type Member } from './zip'

export class GalleryFile implements Archive {
  constructor(private readonly store: RiffStore) {}

  async exported(): Promise<Blob> {
    const kept = await this.store.all()
    return zipped(
      kept.flatMap(({ id, riff, png, wav }) => [
        { name: `${id}.json`, data: new Blob([JSON.stringify(riff)]) },
        { name: `${id}.png`, data: png },
        { name: `${id}.wav`, data: wav },
      ]),
    )
  }

  async imported(file: Blob): Promise<number> {
    const members = new Map((await unzipped(file)).map((member) => [member.name, member]))
    const told = [...members.values()].filter(({ name }) => name.endsWith('.json'))
    for (const member of told) {
      const riff = await riffOf(member)
      const [png, wav] = ['png', 'wav'].map((kind) => members.get(`${riff.id}.${kind}`)?.data)
      if (!png || !wav) throw new Error('This is no exported gallery: files are missing.')
      await this.store.put({
        ...{ id: riff.id, riff },
        png: new Blob([png], { type: 'image/png' }),
        wav: new Blob([wav], { type: 'audio/wav' }),
      })
    }
    return told.length
  }
}

async function riffOf({ name, data }: Member): Promise<Riff> {
  const riff = JSON.parse(await data.text()) as Partial<Riff>
  const { id, prompt, verb, created, settings } = riff
  const texts = [id, prompt, verb, created].every((value) => typeof value === 'string')
  if (!texts || `${id}.json` !== name || typeof settings !== 'object') {
    throw new Error(`This is no exported gallery: ${name} is no riff.`)
  }
  return { ...(riff as Riff), state: 'done', progress: 1, error: null, files: {} }
}
