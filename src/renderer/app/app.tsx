import { MantineProvider } from '@mantine/core'
import { theme, themeVariables } from '../ui/theme.ts'
import { StoreContext } from '../state/store-context.ts'
import type { WindowStore } from '../state/store.ts'
import { styleNonce } from './style-nonce.ts'
import { Frame } from './frame.tsx'

export function App({ store }: { readonly store: WindowStore }) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={themeVariables}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
    >
      <StoreContext value={store}>
        <Frame />
      </StoreContext>
    </MantineProvider>
  )
}
