import { MantineProvider, Stack, Text, Title } from '@mantine/core'
import { theme, themeVariables } from '../ui/theme.ts'
import { words } from '../words.ts'
import { styleNonce } from './style-nonce.ts'

/** Somebody opened the bare address of the browser door. */
export function NoToken() {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={themeVariables}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
    >
      <Stack component="main" p="xl" maw={640}>
        <Title order={1}>{words.noToken.title}</Title>
        <Text>{words.noToken.text}</Text>
      </Stack>
    </MantineProvider>
  )
}
