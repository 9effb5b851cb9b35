"""The checks of Veeam's own analyzer by their codes: a server may send the sentence, or the code for it."""

_SENTENCES = {
    "MfaEnabledInBackupConsole": "MFA for the backup console should be enabled",
    "ImmutableOrOfflineMediaPresence": "Immutable or offline (air gapped) media should be used",
    "LossProtectionEnabled": "Password loss protection should be enabled",
    "BackupServerInProductionDomain": "Backup server should not be a part of the production domain",
    "EmailNotificationsEnabled": "Email notifications should be enabled",
    "ContainBackupCopies": "All backups should have at least one copy (the 3-2-1 backup rule)",
    "ReverseIncrementalInUse": "Reverse incremental backup mode is deprecated and should be avoided",
    "ManualLinuxHostAuthentication": "Unknown Linux servers should not be trusted automatically",
    "ConfigurationBackupRepositoryNotLocal": (
        "The configuration backup must not be stored on the backup server"
    ),
    "ViProxyTrafficEncrypted": (
        "Host to proxy traffic encryption should be enabled for the Network transport mode"
    ),
    "HardenedRepositoryNotVirtual": "Hardened repositories should not be hosted in virtual machines",
    "TrafficEncryptionEnabled": "Network traffic encryption should be enabled in the backup network",
    "LinuxServersUsingSSHKeys": "Linux servers should have password-based authentication disabled",
    "BackupServicesUnderLocalSystem": "Backup services should be running under the LocalSystem account",
    "ConfigurationBackupEnabledAndEncrypted": "Configuration backup should be enabled and use encryption",
    "PasswordsRotation": "Credentials and encryption passwords should be rotated at least annually",
    "HardenedRepositorySshDisabled": "Hardened repositories should have the SSH Server disabled",
    "OsBucketsInComplianceMode": (
        "Compliance mode should be used for repositories with backup immutability enabled"
    ),
    "JobsTargetingCloudRepositoriesEncrypted": "Backup jobs to cloud repositories should use encryption",
    "BackupServerUpToDate": "Latest product updates should be installed",
    "PostgreSqlUseRecommendedSettings": "PostgreSQL server should be configured with recommended settings",
    "HardenedRepositoryNotContainsNBDProxies": (
        "Hardened repositories should not be used as backup proxy servers"
    ),
    "EncryptionPasswordsComplexityRules": (
        "Backup encryption passwords should follow length and complexity recommendations"
    ),
    "CredentialsPasswordsComplexityRules": (
        "Saved credentials should follow password length and complexity recommendations"
    ),
    "BackupServerHighAvailabilityEnabled": (
        "High Availability cluster should be configured for this backup server"
    ),
    "RemoteDesktopServiceDisabled": "Remote Desktop Services (TermService) should be disabled",
    "RemoteRegistryDisabled": "Remote Registry service (RemoteRegistry) should be disabled",
    "WinRmServiceDisabled": "Windows Remote Management (WinRM) service should be disabled",
    "FirewallEnabled": "Windows Firewall should be enabled",
    "WindowsFirewallEnabled": "Windows Firewall should be enabled",
    "WDigestNotStorePasswordsInMemory": "WDigest credentials caching should be disabled",
    "WebProxyAutoDiscoveryDisabled": (
        "Web Proxy Auto-Discovery service (WinHttpAutoProxySvc) should be disabled"
    ),
    "OutdatedSslAndTlsDisabled": "Deprecated versions of SSL and TLS should be disabled",
    "WindowsScriptHostDisabled": "Windows Script Host should be disabled",
    "SMB1ProtocolDisabled": "SMBv1 protocol should be disabled",
    "LLMNRDisabled": "Link-Local Multicast Name Resolution (LLMNR) should be disabled",
    "CSmbSigningAndEncryptionEnabled": "SMBv3 signing and encryption should be enabled",
    "CredentialsGuardConfigured": "Credentials Guard should be configured",
    "LsassProtectedProcess": (
        "Local Security Authority Server Service (LSASS) should be set to run as a protected process"
    ),
    "NetBiosDisabled": "NetBIOS protocol should be disabled on all network interfaces",
}
_FOLDED = {code.casefold(): sentence for code, sentence in _SENTENCES.items()}


def sentence(practice: str) -> str:
    """Return the sentence of a check that was sent as its code; a sentence, or an unknown code, as it is."""
    return _FOLDED.get(practice.casefold(), practice)
