"""The air between virtual Bluetooth controllers: Bumble's local link, corrected where it differs from a radio.

Bumble's link carries packets between controllers of one process. Four things in version 0.0.236 would make a test measure
Bumble instead of the program under test; each is corrected here and nowhere else. What it does not have either, and this
file adds: going out of range.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from bumble import hci, ll
from bumble.controller import Controller
from bumble.core import PhysicalTransport
from bumble.link import LocalLink
from bumble.transport.common import TransportSink, TransportSource

LINK_LOST = hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
REMOTE_USER = hci.HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR
LOCAL_HOST = hci.HCI_ErrorCode.CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR
UNKNOWN_CONNECTION = hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR

# One link-layer packet carries this much (Bluetooth 5.4, vol 6 part B 2.4), and takes this long on the 1M radio, µs.
WHOLE_PACKET = 251
WHOLE_PACKET_US = 2120

# What the controller is told to be unable to do. With address resolution in its features, the Linux kernel changes the
# resolving list around every connection, which Bumble answers in a way that stalls the next one for four seconds.
UNWANTED_FEATURES = (
    hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
)


class AirController(Controller):
    """A controller as a radio chip would be: whole packets, scan responses, cancelled connections that end."""

    le_acl_data_packet_length = WHOLE_PACKET
    acl_data_packet_length = WHOLE_PACKET
    supported_max_tx_octets = WHOLE_PACKET
    supported_max_rx_octets = WHOLE_PACKET
    suggested_max_tx_octets = WHOLE_PACKET
    le_features = Controller.le_features & ~UNWANTED_FEATURES

    def __init__(
        self,
        name: str,
        air: AirLink,
        source: TransportSource | None = None,
        sink: TransportSink | None = None,
        public_address: str | None = None,
    ) -> None:
        super().__init__(name, host_source=source, host_sink=sink, link=air, public_address=public_address)
        self.air = air
        # Called with every packet of a connection that reached the other controller.
        self.on_delivered: Callable[[bytes], None] | None = None
        # Called when a connection begins (True) or ends (False).
        self.on_link_change: Callable[[bool], None] | None = None
        # What waits for a connection event, when the air has such.
        self._waiting: deque[hci.HCI_AclDataPacket] = deque()
        self._events: asyncio.Task[None] | None = None

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        """Bumble repeats the advertisement as scan response; the name is only in the real one."""
        if not self.le_scan_enable or not isinstance(pdu, ll.AdvInd):
            super().on_advertising_pdu(pdu)
            return
        event_type = hci.HCI_LE_Advertising_Report_Event.EventType
        reports = [(event_type.ADV_IND, pdu.data)]
        sender = self.air.find_le_controller(pdu.advertiser_address)
        if self.le_scan_type == 1 and sender is not None and sender.le_legacy_advertiser.scan_response_data:
            reports.append((event_type.SCAN_RSP, sender.le_legacy_advertiser.scan_response_data))
        for kind, data in reports:
            report = hci.HCI_LE_Advertising_Report_Event.Report(
                event_type=kind,
                address_type=pdu.advertiser_address.address_type,
                address=pdu.advertiser_address,
                data=data,
                rssi=-50,
            )
            self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))
        pending = self.pending_le_connection
        if pending is not None and pending.peer_address == pdu.advertiser_address:
            self.create_le_connection(pdu.advertiser_address)

    def create_le_connection(self, peer_address: hci.Address) -> None:
        super().create_le_connection(peer_address)
        self._tell(True)

    def on_le_connect_ind(self, packet: ll.ConnectInd) -> None:
        before = len(self.le_connections)
        super().on_le_connect_ind(packet)
        if len(self.le_connections) > before:
            self._tell(True)

    def on_le_disconnected(self, connection, reason: int) -> None:
        if connection.peer_address in self.le_connections:
            super().on_le_disconnected(connection, reason)
            self._tell(False)

    def _tell(self, up: bool) -> None:
        if self.on_link_change is not None:
            self.on_link_change(up)

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """A packet that nobody acknowledges stays in the controller: no credit comes back for it."""
        connection = self.find_le_connection_by_handle(packet.connection_handle)
        if connection is not None and self.air.is_silent(self, connection.peer_address):
            return
        if self.air.interval_s <= 0:
            super().on_hci_acl_data_packet(packet)
            return
        self._waiting.append(packet)
        if self._events is None or self._events.done():
            self._events = asyncio.get_running_loop().create_task(self._send_at_events())

    async def _send_at_events(self) -> None:
        """At each connection event as many packets as the air lets through; the host gets its credits back only then."""
        while self._waiting:
            await asyncio.sleep(self.air.interval_s)
            for _ in range(min(self.air.packets_per_event, len(self._waiting))):
                packet = self._waiting.popleft()
                # Its connection may be gone by now, and with it the packet.
                if self.find_le_connection_by_handle(packet.connection_handle) is not None:
                    super().on_hci_acl_data_packet(packet)

    def on_hci_le_create_connection_cancel_command(self, command):
        """The end of a cancelled attempt is an event; Bumble leaves the host waiting for it."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is not None:
            ended = hci.HCI_LE_Connection_Complete_Event(
                status=UNKNOWN_CONNECTION,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=pending.peer_address.address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
            asyncio.get_running_loop().call_soon(self.send_hci_packet, ended)
        return super().on_hci_le_create_connection_cancel_command(command)

    def on_hci_reset_command(self, command):
        """After a reset there are no connections and no advertisement: a pod whose power was cut comes back so."""
        self.le_legacy_advertiser.stop()
        self.air.lose_links_of(self)
        self.pending_le_connection = None
        self.le_scan_enable = False
        return super().on_hci_reset_command(command)

    def on_hci_le_set_data_length_command(self, command: hci.HCI_LE_Set_Data_Length_Command):
        """Not in Bumble. The data length is the largest anyway."""
        changed = hci.HCI_LE_Data_Length_Change_Event(
            connection_handle=command.connection_handle,
            max_tx_octets=WHOLE_PACKET,
            max_tx_time=WHOLE_PACKET_US,
            max_rx_octets=WHOLE_PACKET,
            max_rx_time=WHOLE_PACKET_US,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, changed)
        return hci.HCI_StatusAndConnectionHandleReturnParameters(
            status=hci.HCI_ErrorCode.SUCCESS, connection_handle=command.connection_handle
        )

    def on_hci_le_set_phy_command(self, command: hci.HCI_LE_Set_PHY_Command) -> None:
        """Not in Bumble, which would leave the command without an answer. There is no radio, so any is granted."""
        self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
        updated = hci.HCI_LE_PHY_Update_Complete_Event(
            status=hci.HCI_ErrorCode.SUCCESS,
            connection_handle=command.connection_handle,
            tx_phy=hci.Phy.LE_2M,
            rx_phy=hci.Phy.LE_2M,
        )
        self.send_hci_packet(updated)


class AirLink(LocalLink):
    """The air: delivers between controllers that hear each other.

    With an interval of 0 everything passes at once; otherwise each controller sends so many packets at each connection
    event, which is the slowness of a radio without its losses.
    """

    def __init__(self, interval_s: float = 0.0, packets_per_event: int = 1) -> None:
        super().__init__()
        self.interval_s = interval_s
        self.packets_per_event = packets_per_event
        self._silent: set[AirController] = set()
        # Packets of connections that reached nobody.
        self.lost_packets = 0

    def is_silent(self, controller: AirController, peer: hci.Address) -> bool:
        """Whether a controller and the one of this address do not hear each other."""
        return controller in self._silent or self.find_le_controller(peer) in self._silent

    def send_acl_data(self, sender_controller, destination_address, transport, data) -> None:
        """Bumble names the sender by its random address; a connection made from the public one would get nothing."""
        if transport != PhysicalTransport.LE:
            super().send_acl_data(sender_controller, destination_address, transport, data)
            return
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is None or receiver is None:
            self.lost_packets += 1
            return
        asyncio.get_running_loop().call_soon(self._deliver, sender_controller, receiver, connection.self_address, data)

    def _deliver(self, sender: AirController, receiver: AirController, source: hci.Address, data: bytes) -> None:
        if source not in receiver.le_connections or sender in self._silent or receiver in self._silent:
            self.lost_packets += 1
            return
        if sender.on_delivered is not None:
            sender.on_delivered(data)
        receiver.on_link_acl_data(source, PhysicalTransport.LE, data)

    def send_advertising_pdu(self, sender_controller, packet) -> None:
        if sender_controller in self._silent:
            return
        loop = asyncio.get_running_loop()
        for controller in self.controllers - self._silent:
            if controller is not sender_controller:
                loop.call_soon(controller.on_ll_advertising_pdu, packet)

    def send_ll_control_pdu(self, sender_address, receiver_address, packet) -> None:
        receiver = self.find_le_controller(receiver_address)
        # It has just gone: so would the packet.
        if receiver is not None and receiver not in self._silent and sender_address in receiver.le_connections:
            asyncio.get_running_loop().call_soon(receiver.on_ll_control_pdu, sender_address, packet)

    # ------------------------------------------------------------------------------------------------------- faults

    def drop(self, controller: AirController) -> bool:
        """The peripheral closes its connections, as if its own program had said so. False if there is none."""
        connections = list(controller.le_connections.values())
        for connection in connections:
            connection.send_ll_control_pdu(ll.TerminateInd(REMOTE_USER))
            controller.on_le_disconnected(connection, LOCAL_HOST)
        return bool(connections)

    def lose_links_of(self, controller: AirController) -> bool:
        """Both sides of each connection find that the other has not answered for too long. False if there is none."""
        connections = list(controller.le_connections.values())
        for connection in connections:
            peer = self.find_le_controller(connection.peer_address)
            if peer is not None and peer is not controller:
                other = peer.le_connections.get(connection.self_address)
                if other is not None:
                    peer.on_le_disconnected(other, LINK_LOST)
            controller.on_le_disconnected(connection, LINK_LOST)
        return bool(connections)

    async def out_of_range(self, controller: AirController, seconds: float, supervision_s: float = 2.0) -> None:
        """Nothing passes from now on; both sides notice after the supervision timeout; later it is heard again."""
        self._silent.add(controller)
        try:
            await asyncio.sleep(min(supervision_s, seconds))
            self.lose_links_of(controller)
            await asyncio.sleep(max(0.0, seconds - supervision_s))
        finally:
            self._silent.discard(controller)
