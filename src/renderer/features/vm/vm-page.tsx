import { Title } from '@mantine/core'

export function VmPage() {
  return <Title order={1}>VM</Title>
}
