@echo off
rem Runs once, with full rights, after the first logon: makes a fresh Windows a guest of the harness. Each step of
rem STEPS is a label below. A step is told on COM1; one that fails is told with what it printed, and Windows stays on.
setlocal enabledelayedexpansion
set SEED=%~dp0
call "%SEED%settings.cmd"
set HOME=%SystemDrive%\supdrv
set LOG=%SystemDrive%\supdrv-setup.log
call :say first logon
for %%s in (%STEPS%) do (
    call :step %%s
    if errorlevel 1 exit /b 1
)
call :say installed
shutdown /s /t 0
exit /b 0

:step
call :say step %1
call :%1 >"%LOG%" 2>&1
set STATUS=%errorlevel%
if %STATUS% equ 0 exit /b 0
type "%LOG%" >%CONSOLE%
call :say failed: %1, status %STATUS%
exit /b 1

rem A line of its own, whatever the firmware has left there. The port has one user at a time: whoever finds it taken tries
rem again, a second later, ten times.
:say
for /l %%i in (1,1,10) do (
    (>%CONSOLE% (echo.& echo %SAY%%*)) 2>nul && exit /b 0
    ping -n 2 127.0.0.1 >nul
)
exit /b 0

:files
if not exist "%HOME%" mkdir "%HOME%" || exit /b 1
copy /y "%SEED%*.*" "%HOME%" || exit /b 1
attrib -r "%HOME%\*.*"
exit /b 0

:power
powercfg /hibernate off
powercfg /change standby-timeout-ac 0 || exit /b 1
powercfg /change monitor-timeout-ac 0 || exit /b 1
powercfg /change disk-timeout-ac 0 || exit /b 1
exit /b 0

:updates
set KEY=HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU
call :number %KEY% NoAutoUpdate 1 || exit /b 1
call :number %KEY% NoAutoRebootWithLoggedOnUsers 1 || exit /b 1
call :number HKLM\SYSTEM\CurrentControlSet\Services\wuauserv Start 4 || exit /b 1
exit /b 0

rem A kernel dump and a minidump at each crash, a crash at an NMI, and then a start as if nothing had happened.
:crashes
set KEY=HKLM\SYSTEM\CurrentControlSet\Control\CrashControl
call :number %KEY% CrashDumpEnabled 2 || exit /b 1
call :number %KEY% AlwaysKeepMemoryDump 1 || exit /b 1
call :number %KEY% Overwrite 1 || exit /b 1
call :number %KEY% AutoReboot 1 || exit /b 1
call :number %KEY% NMICrashDump 1 || exit /b 1
bcdedit /set {current} bootstatuspolicy ignoreallfailures || exit /b 1
bcdedit /set {current} recoveryenabled no || exit /b 1
exit /b 0

:virtio
for %%d in (D E F G H I J) do (
    if exist "%%d:\%VIRTIO%" (
        pnputil /add-driver "%%d:\%VIRTIO%" /install
        rem 259: the driver is there, and no device waits for it; 3010: it wants a new start
        if !errorlevel! equ 0 exit /b 0
        if !errorlevel! equ 259 exit /b 0
        if !errorlevel! equ 3010 exit /b 0
        exit /b 1
    )
)
echo %VIRTIO% is on no disc
exit /b 1

:openssh
if exist "%HOME%\openssh.msi" (
    msiexec /i "%HOME%\openssh.msi" /quiet /norestart || exit /b 1
) else if exist "%HOME%\openssh.zip" (
    powershell -NoProfile -ExecutionPolicy Bypass -Command "Expand-Archive -Force '%HOME%\openssh.zip' '%HOME%\openssh'; & (Get-ChildItem -Recurse '%HOME%\openssh' install-sshd.ps1).FullName" || exit /b 1
) else (
    powershell -NoProfile -Command "$ErrorActionPreference = 'Stop'; Add-WindowsCapability -Online -Name (Get-WindowsCapability -Online -Name 'OpenSSH.Server*').Name" || exit /b 1
)
set KEYS=%ProgramData%\ssh
if not exist "%KEYS%" mkdir "%KEYS%" || exit /b 1
copy /y "%HOME%\authorized_keys.txt" "%KEYS%\administrators_authorized_keys" || exit /b 1
move /y "%HOME%\hostkey.txt" "%KEYS%\ssh_host_ed25519_key" || exit /b 1
copy /y "%HOME%\hostkey.pub" "%KEYS%\ssh_host_ed25519_key.pub" || exit /b 1
rem By number: S-1-5-32-544 are the administrators and S-1-5-18 is the system, whatever the language.
for %%f in (administrators_authorized_keys ssh_host_ed25519_key) do (
    icacls "%KEYS%\%%f" /inheritance:r /grant *S-1-5-32-544:F /grant *S-1-5-18:F || exit /b 1
)
sc config sshd start= auto || exit /b 1
netsh advfirewall firewall add rule name=supdrv-sshd dir=in action=allow protocol=TCP localport=22 || exit /b 1
exit /b 0

rem One task for each port, which lasts as long as Windows runs, and one that says when all is up.
:agent
set TASK=schtasks /create /f /sc onstart /ru SYSTEM /rl highest
for %%p in (%PORTS%) do (
    for /f "tokens=1,2 delims==" %%a in ("%%~p") do (
        %TASK% /tn %%a /tr "cmd /c %HOME%\agent.cmd %%a %%b" || exit /b 1
    )
)
%TASK% /tn supdrv.ready /tr "cmd /c %HOME%\ready.cmd" || exit /b 1
exit /b 0

:testsigning
bcdedit /set {current} testsigning on || exit /b 1
exit /b 0

:number
reg add %1 /v %2 /t REG_DWORD /d %3 /f
exit /b %errorlevel%
