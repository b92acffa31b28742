import { type ServicePort, ServiceUnavailable } from './service-port.ts';

/**
 * The service before the gateway is enrolled: everything is unavailable, so nobody is
 * admitted. Enrolment needs the port, and the port is known only once it listens.
 */
export function lateService(): ServicePort & { become(service: ServicePort): void } {
  let service: ServicePort | undefined;
  const now = (): ServicePort => {
    if (service === undefined) throw new ServiceUnavailable('the gateway is not enrolled yet');
    return service;
  };
  return {
    become: (enrolled) => {
      service = enrolled;
    },
    admit: async (admission) => now().admit(admission),
    renew: async (sessions) => now().renew(sessions),
    report: async (id, report) => now().report(id, report),
    signals: async (onSignal, until) => now().signals(onSignal, until),
  };
}
