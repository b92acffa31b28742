const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const DOTTED_DECIMAL = /^[0-9]+(?:\.[0-9]+){3}$/;

/**
 * A server's name: lower-case letters, digits and hyphens of ASCII in labels of 1 to 63,
 * 1 to 253 in all, without a final dot (RFC 1123 §2.1). What reads as an IPv4 address is an
 * address and no name.
 */
export function isHostname(name: string): boolean {
  if (name.length > 253 || DOTTED_DECIMAL.test(name)) return false;
  return name.split('.').every((label) => HOST_LABEL.test(label));
}

/** A login on a target, of a person or of a vaulted account. */
export function isUnixName(name: string): boolean {
  return /^[a-z_][a-z0-9_-]{0,31}$/.test(name);
}

// Names that distributions, and packages commonly found on servers, give to themselves,
// and the groups that give root: a person of such a name would get what is theirs.
const SYSTEM_NAMES: ReadonlySet<string> = new Set(
  (
    'root toor bin daemon adm lp sync shutdown halt mail news uucp operator games gopher ftp ' +
    'man proxy www-data backup list irc gnats nobody nogroup sys system kernel wheel sudo admin ' +
    'administrator disk kmem tty dialout cdrom floppy tape audio video plugdev users staff ' +
    'shadow utmp lxd docker libvirt kvm input render sgx crontab ssh sshd ssh_keys rpc rpcuser ' +
    'dbus messagebus avahi avahi-autoipd polkitd polkit tss ntp chrony systemd-network ' +
    'systemd-resolve systemd-timesync systemd-journal systemd-journal-remote systemd-coredump ' +
    'systemd-oom systemd-bus-proxy syslog uuidd usbmux colord geoclue pulse rtkit saned gdm ' +
    'lightdm whoopsie kernoops dnsmasq unbound bind named apache httpd nginx tomcat postgres ' +
    'mysql mariadb redis mongodb memcache memcached rabbitmq elasticsearch kafka zookeeper ' +
    'prometheus grafana node_exporter jenkins gitlab git svn postfix postdrop dovecot exim ' +
    'debian-exim smmsp mailnull cron at atd abrt nscd nslcd sssd ldap openldap saslauth slurm ' +
    'munge puppet chef ansible salt zabbix nagios snort clamav stunnel4 haproxy squid varnish ' +
    'etcd consul vault nomad kube kubernetes containerd ceph gluster nfsnobody nfs oracle ' +
    'ubuntu debian centos fedora rocky almalinux ec2-user cloud-user opc azureuser vagrant pi ' +
    'core guest default test anonymous everyone localhost postern'
  ).split(' '),
);

/** Whether accounts of this name belong to a system and never to a person. */
export function isSystemName(name: string): boolean {
  return SYSTEM_NAMES.has(name) || name.startsWith('_') || name.startsWith('systemd-');
}

/** What a person's own account on a target may be called. */
export function isPersonUnixName(name: string): boolean {
  return isUnixName(name) && !isSystemName(name);
}

/**
 * What a user logs in as: 1 to 100 of lower-case ASCII letters, digits and `. _ + - '`, with
 * at most one `@`. One script and one letter case, so that no two logins look alike.
 */
export function isLogin(login: string): boolean {
  if (login.length > 100) return false;
  const part = /^[a-z0-9_](?:[a-z0-9._+'-]*[a-z0-9_])?$/;
  const parts = login.split('@');
  return parts.length <= 2 && parts.every((text) => part.test(text));
}

// Latin letters that no accent is taken from to make them ASCII, in both cases.
const MORE_LATIN = 'ØøĐđŁłĦħıÞþÐðßÆæŒœ';
// As they stand in names: hyphens and dashes, quotation marks.
const MORE_PUNCTUATION = '\u2010-\u2015\u2018-\u201f';
const GROUP_WORD = `[a-z0-9${MORE_LATIN}!-/:-@[-\`{-~${MORE_PUNCTUATION}]+`;
const GROUP_NAME = new RegExp(`^${GROUP_WORD}(?: ${GROUP_WORD})*$`, 'iu');

/**
 * A group's name, for people: 1 to 100 characters in the one form that NFKC leaves as it is,
 * of the Latin script (with accents), ASCII digits and punctuation, dashes and quotation
 * marks, with single spaces between words. One script, and none of its letters that are made
 * to look like others: what then still looks alike, `name_skeleton` in the database finds.
 */
export function isGroupName(name: string): boolean {
  if (name.length > 100 || !name.isWellFormed()) return false;
  if (name.normalize('NFKC') !== name) return false;
  // An accent belongs to a letter; one that has no letter of its own is no part of a name.
  if (/\p{M}/u.test(name)) return false;
  return GROUP_NAME.test(name.normalize('NFD').replaceAll(/[\u0300-\u036f]/g, ''));
}
