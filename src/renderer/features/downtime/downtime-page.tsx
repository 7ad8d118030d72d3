import { Title } from '@mantine/core'

export function DowntimePage() {
  return <Title order={1}>Downtime</Title>
}
