import type { Api } from '../riffs/api'
import { ServerApi } from '../riffs/server'

/** What makes the music. */
export interface Backend {
  api: Api
  /** Over which streams are asked for; null where a server has them. */
  streams: MessagePort | null
}

/** This tab, where the page says so, as one by `sonoriff export web` does; else its server. */
export async function backendHere(): Promise<Backend> {
  const marker = document.querySelector<HTMLMetaElement>('meta[name="sonoriff-tab"]')
  if (!marker) return { api: new ServerApi(new URL('.', location.href).href), streams: null }
  const { openTab } = await import('../tab/backend')
  return openTab(new URL(marker.content, location.href))
}
