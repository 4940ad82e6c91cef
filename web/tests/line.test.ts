import type { FromStream, ToStream } from '@sonoriff/engine/messages'
import { expect, it } from 'vitest'
import { portLines } from '../src/stream/line'

const soon = () => new Promise((done) => setTimeout(done, 20))

it('several lines go over one port', async () => {
  const { port1, port2 } = new MessageChannel()
  const asked: ToStream[] = []
  port2.onmessage = ({ data }: MessageEvent<ToStream>) => asked.push(data)
  const heard: string[] = []
  const dial = portLines(port1)
  const open = (name: string) =>
    dial({
      opened: () => heard.push(`${name} opened`),
      received: (data) => heard.push(`${name} ${data as string}`),
      closed: (code) => heard.push(`${name} ${code}`),
    })
  const [first] = [open('a'), open('b')]
  first!.send({ type: 'want', until: 5 })
  first!.close()
  await soon()
  expect(asked).toEqual([
    { id: 1, type: 'open' },
    { id: 2, type: 'open' },
    { id: 1, type: 'message', message: { type: 'want', until: 5 } },
    { id: 1, type: 'close' },
  ])
  const answers: FromStream[] = [
    { id: 1, type: 'opened' },
    { id: 2, type: 'opened' },
    { id: 2, type: 'message', data: 'words' },
    { id: 2, type: 'closed', code: 1000 },
    { id: 2, type: 'message', data: 'too late' },
  ]
  for (const answer of answers) port2.postMessage(answer)
  await soon()
  expect(heard).toEqual(['b opened', 'b words', 'b 1000'])
  port1.close()
})
