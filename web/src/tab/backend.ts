import type { Backend } from '../page/backend'
import { TabApi } from './api'
import { Engine } from './engine'

/** The engine in this tab; `tab` is the address of `tab.json`. */
export function openTab(tab: URL): Backend {
  const engine = new Engine(tab)
  return { api: new TabApi(engine), streams: engine.client.streams() }
}
