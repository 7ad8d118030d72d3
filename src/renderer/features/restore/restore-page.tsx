import { Title } from '@mantine/core'

export function RestorePage() {
  return <Title order={1}>Restore</Title>
}
