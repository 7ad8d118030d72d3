import '@mantine/core/styles.css'
import './ui/base.css'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { theCore } from './app/bridge.ts'
import { createWindowStore } from './state/store.ts'

const store = createWindowStore(theCore())
store.getState().openHosts()

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')
createRoot(root).render(<App store={store} />)
