import { MantineProvider, Stack, Text, Title } from '@mantine/core'
import { theme, themeVariables } from '../ui/theme.ts'
import { words } from '../words.ts'
import type { NoWay } from './bridge.ts'
import { styleNonce } from './style-nonce.ts'

/** Somebody opened the bare address of the browser door, or one that has been used. */
export function NoToken({ why }: { why: NoWay }) {
  const { title, text } = words.noToken[why]
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={themeVariables}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
    >
      <Stack component="main" p="xl" maw={640}>
        <Title order={1}>{title}</Title>
        <Text>{text}</Text>
      </Stack>
    </MantineProvider>
  )
}
