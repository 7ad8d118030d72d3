import '@mantine/core/styles.css'
import '@mantine/charts/styles.css'
import '@mantine/spotlight/styles.css'
import './ui/base.css'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { theCore } from './app/bridge.ts'
import { NoToken } from './app/no-token.tsx'
import { createWindowStore, type WindowStore } from './state/store.ts'

const element = document.getElementById('root')
if (element === null) throw new Error('index.html has no #root')
const root = createRoot(element)

let store: WindowStore | undefined
const core = theCore(
  (link) => store?.getState().linkIs(link),
  (why) => root.render(<NoToken why={why} />)
)
if (core !== undefined) {
  store = createWindowStore(core)
  store.getState().openMirror()
  store.getState().followCore()
  root.render(<App store={store} />)
}
